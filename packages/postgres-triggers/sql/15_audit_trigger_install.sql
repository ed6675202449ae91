CREATE OR REPLACE FUNCTION audit_trigger_key(relation regclass) RETURNS text[] LANGUAGE sql STABLE AS $$
  -- version: 2
  -- The columns of the primary key, or of another key that tells rows apart; none where there is none.
  SELECT coalesce((SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, n)
      JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.n)
    FROM pg_index AS i
    WHERE i.indrelid = relation AND i.indisunique AND (i.indisprimary OR (i.indimmediate AND i.indisvalid
      AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
        SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]) AS k(attnum)
          JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
          WHERE NOT a.attnotnull OR EXISTS (SELECT FROM pg_constraint AS o WHERE o.conrelid = i.indrelid
            AND o.contype = 'n' AND NOT o.convalidated AND o.conkey[1] = a.attnum))))
    ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1), '{}')
$$;

CREATE OR REPLACE FUNCTION audit_trigger_arguments(relation regclass, options jsonb) RETURNS text[] LANGUAGE sql STABLE AS $$
  -- version: 2
  -- What the triggers of a table are made with: 0 version, 1 resource type, 2 beginning of the action, 3 log, 4 columns, 5 their
  -- types, 6 kinds, 7 flags, 8 key, 9 names in events, 10 column of soft deletes, 11 places of the key, 12 options, 13 what makes
  -- a name secret.
  SELECT ARRAY['2', options ->> 'name', options ->> 'action', options ->> 'origin',
    array_agg(a.name ORDER BY a.n)::text, array_agg(a.atttypid ORDER BY a.n)::text, array_agg(a.kind ORDER BY a.n)::text,
    array_agg(CASE WHEN coalesce(options -> 'exclude', '[]') ? a.name THEN 'x' WHEN coalesce(options -> 'mask', '[]') ? a.name THEN 'M'
      WHEN coalesce(options -> 'secret', '[]') ? a.name THEN 'm' ELSE '' END ORDER BY a.n)::text,
    audit_trigger_key(relation)::text,
    array_agg(to_json(coalesce(options -> 'fields' ->> a.name, a.name))::text ORDER BY a.n)::text,
    coalesce(max(a.name) FILTER (WHERE a.name = options ->> 'softDelete'), ''),
    (SELECT coalesce(array_agg(p.n ORDER BY k.n), '{}')::text FROM unnest(audit_trigger_key(relation)) WITH ORDINALITY AS k(name, n)
      JOIN (SELECT attname, row_number() OVER (ORDER BY attnum) AS n FROM pg_attribute
        WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped) AS p ON p.attname = k.name),
    concat_ws(',', CASE WHEN options -> 'link' = 'true' THEN 'link' END, CASE WHEN options ->> 'snapshot' = 'full' THEN 'full' END,
      CASE WHEN bool_or(a.kind IN ('r', 'R')) THEN 'raw' END),
    options ->> 'secretPattern']
  FROM (SELECT attname::text AS name, atttypid,
      -- The parts of a link are told as text, as the ORM packages tell them.
      CASE WHEN options -> 'link' = 'true' THEN replace(audit_trigger_kind(atttypid), 'i', 'n') ELSE audit_trigger_kind(atttypid) END AS kind,
      row_number() OVER (ORDER BY attnum) AS n
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped) AS a
$$;

CREATE OR REPLACE FUNCTION audit_trigger_remove(relation regclass) RETURNS boolean LANGUAGE plpgsql AS $$
  -- version: 2
  -- Takes the triggers off a table. False where there are none.
DECLARE
  found record;
  removed boolean := false;
BEGIN
  FOR found IN SELECT g.tgname FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
    WHERE g.tgrelid = relation AND g.tgparentid = 0 AND p.pronamespace = current_schema()::regnamespace AND starts_with(p.proname, 'audit_trigger_') LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, relation);
    removed := true;
  END LOOP;
  RETURN removed;
END
$$;

CREATE OR REPLACE FUNCTION audit_trigger_install(relation regclass, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
  -- version: 2
  -- Puts the triggers on a table, or on all partitions of one. Answers installed, changed or unchanged. They fire whatever
  -- session_replication_role says. Those of rows fire first of all, so that a row is told before another trigger touches it again.
DECLARE
  level text := audit_trigger_level(relation);
  arguments text[] := audit_trigger_arguments(relation, options);
  given text := (SELECT string_agg(quote_literal(a), ', ' ORDER BY n) FROM unnest(arguments) WITH ORDINALITY AS u(a, n));
  encoded bytea := (SELECT string_agg(convert_to(a, 'UTF8') || decode('00', 'hex'), '' ORDER BY n) FROM unnest(arguments) WITH ORDINALITY AS u(a, n));
  wanted text[] := CASE level WHEN 'row' THEN ARRAY['!indelible', 'indelible_truncate']
    ELSE ARRAY['indelible_insert', 'indelible_update', 'indelible_delete', 'indelible_truncate'] END;
  own text := quote_ident(current_schema());
  was integer;
  name text;
  part regclass;
  outcome text;
BEGIN
  IF (SELECT relispartition FROM pg_class WHERE oid = relation) AND options -> 'isPart' IS DISTINCT FROM 'true' THEN
    RAISE EXCEPTION 'indelible: % is a partition: install the triggers on the table that is partitioned', relation;
  END IF;
  SELECT count(*) INTO was FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid
    WHERE g.tgrelid = relation AND g.tgparentid = 0 AND p.pronamespace = current_schema()::regnamespace AND starts_with(p.proname, 'audit_trigger_');
  IF options -> 'isPart' = 'true' THEN
    -- The trigger for rows is that of the partitioned table; one for TRUNCATE is not inherited.
    wanted := ARRAY['indelible_truncate'];
  END IF;
  IF was = cardinality(wanted) AND was = (SELECT count(*) FROM pg_trigger AS g WHERE g.tgrelid = relation AND g.tgparentid = 0
      AND g.tgname = ANY (wanted) AND g.tgargs = encoded AND g.tgenabled = 'A') THEN
    outcome := 'unchanged';
  ELSE
    PERFORM audit_trigger_remove(relation);
    FOREACH name IN ARRAY wanted LOOP
      EXECUTE format(CASE name
        WHEN '!indelible' THEN 'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION %s.audit_trigger_row(%s)'
        WHEN 'indelible_truncate' THEN 'CREATE TRIGGER %I BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s.audit_trigger_truncate(%s)'
        WHEN 'indelible_insert' THEN 'CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %s.audit_trigger_statement(%s)'
        WHEN 'indelible_delete' THEN 'CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION %s.audit_trigger_statement(%s)'
        ELSE 'CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %s.audit_trigger_statement(%s)'
        END, name, relation, own, given);
      EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', relation, name);
    END LOOP;
    outcome := CASE WHEN was = 0 THEN 'installed' ELSE 'changed' END;
  END IF;
  FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = relation LOOP
    name := audit_trigger_install(part, CASE WHEN (SELECT relispartition FROM pg_class WHERE oid = part)
      THEN options || '{"isPart": true}' ELSE options END);
    IF name <> 'unchanged' AND outcome = 'unchanged' THEN
      outcome := 'changed';
    END IF;
  END LOOP;
  RETURN outcome;
END
$$;
