// Made from sql/11_audit_trigger_statement.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_STATEMENT = `CREATE OR REPLACE FUNCTION audit_trigger_statement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
  -- version: 2
  -- Records the rows of one statement, from its transition tables. PostgreSQL appends the old and the new version of a row to them
  -- at the same moment, so the rows of an UPDATE are paired by their places, also where keys change.
DECLARE
  told text := current_setting('indelible.context', true);
  said text;
  t record;
  c record;
  zero bytea := decode('00', 'hex');
  clock bigint;
  touched bigint;
  written bigint;
  expected bigint;
BEGIN
  IF told <> '' THEN
    -- Word for an audited client, which lets its statement commit only where it finds it: this table was told, and its triggers,
    -- foreign keys and rules are these.
    said := concat(TG_RELID, ' ', lower(TG_OP), ' ', (SELECT hashtidextended(ctid, xmin::text::int8) FROM pg_class WHERE oid = TG_RELID),
      ' ', (SELECT bit_xor(hashtidextended(ctid, xmin::text::int8)) FROM pg_trigger WHERE tgrelid = TG_RELID), ';');
    PERFORM set_config('indelible.told', concat(n.known, said), true)
      FROM (SELECT coalesce(current_setting('indelible.told', true), '') AS known OFFSET 0) AS n WHERE strpos(n.known, said) = 0;
  END IF;
  IF TG_OP = 'INSERT' THEN
    touched := (SELECT count(*) FROM new_rows);
  ELSE
    touched := (SELECT count(*) FROM old_rows);
  END IF;
  IF touched = 0 THEN
    RETURN NULL;
  END IF;
  t := audit_trigger_columns(TG_RELID, TG_ARGV);
  c := audit_trigger_context(told, TG_ARGV[3]);
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 4;
  CASE TG_OP
    WHEN 'INSERT' THEN
      INSERT INTO audit_event
        SELECT e.id::uuid, c.log, e.body, sha256(zero || e.body), e.at, e.action, 'data', 'success', c.actor_type, c.actor_id, TG_ARGV[1],
          e.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
        FROM (SELECT NULL::json AS old_row, row_to_json(n.*) AS new_row, NULL::text[] AS old_raw,
          CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw, row_number() OVER () AS place FROM new_rows AS n) AS r,
          LATERAL audit_trigger_events('create', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds, t.flags,
            t.keys, t.places, t.soft, c.actor, c.surroundings, c.details, c.log, c.tags) AS e;
    WHEN 'DELETE' THEN
      INSERT INTO audit_event
        SELECT e.id::uuid, c.log, e.body, sha256(zero || e.body), e.at, e.action, 'data', 'success', c.actor_type, c.actor_id, TG_ARGV[1],
          e.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
        FROM (SELECT row_to_json(o.*) AS old_row, NULL::json AS new_row,
          CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw, NULL::text[] AS new_raw, row_number() OVER () AS place FROM old_rows AS o) AS r,
          LATERAL audit_trigger_events('delete', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds, t.flags,
            t.keys, t.places, t.soft, c.actor, c.surroundings, c.details, c.log, c.tags) AS e;
    ELSE
      IF touched = 1 THEN
        INSERT INTO audit_event
          SELECT e.id::uuid, c.log, e.body, sha256(zero || e.body), e.at, e.action, 'data', 'success', c.actor_type, c.actor_id, TG_ARGV[1],
            e.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
          FROM (SELECT row_to_json(o.*) AS old_row, row_to_json(n.*) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw,
              CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw, 1::bigint AS place FROM old_rows AS o, new_rows AS n) AS r,
            LATERAL audit_trigger_events('update', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds, t.flags,
              t.keys, t.places, t.soft, c.actor, c.surroundings, c.details, c.log, c.tags) AS e;
      ELSE
        INSERT INTO audit_event
          SELECT e.id::uuid, c.log, e.body, sha256(zero || e.body), e.at, e.action, 'data', 'success', c.actor_type, c.actor_id, TG_ARGV[1],
            e.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
          FROM (SELECT o.old_row, n.new_row, o.old_raw, n.new_raw, place
            FROM (SELECT row_to_json(o.*) AS old_row, CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw,
                row_number() OVER () AS place FROM old_rows AS o) AS o
              JOIN (SELECT row_to_json(n.*) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw,
                row_number() OVER () AS place FROM new_rows AS n) AS n USING (place)) AS r,
            LATERAL audit_trigger_events('update', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds, t.flags,
              t.keys, t.places, t.soft, c.actor, c.surroundings, c.details, c.log, c.tags) AS e;
      END IF;
  END CASE;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written <> touched THEN
    expected := touched;
    IF TG_OP = 'UPDATE' THEN
      IF touched <> (SELECT count(*) FROM new_rows) THEN
        RAISE EXCEPTION 'indelible: %.% lost rows on their way to another partition', TG_TABLE_SCHEMA, TG_TABLE_NAME;
      END IF;
      -- Rows whose values stayed the same have no event.
      SELECT count(*) INTO expected FROM (SELECT o.old_row, n.new_row, o.old_raw, n.new_raw, place
          FROM (SELECT row_to_json(o.*) AS old_row, CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw,
              row_number() OVER () AS place FROM old_rows AS o) AS o
            JOIN (SELECT row_to_json(n.*) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw,
              row_number() OVER () AS place FROM new_rows AS n) AS n USING (place)) AS r,
        LATERAL audit_trigger_events('update', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds, t.flags,
        t.keys, t.places, t.soft, c.actor, c.surroundings, c.details, c.log, c.tags) AS e;
    END IF;
    IF written <> expected THEN
      RAISE EXCEPTION 'indelible: the database took % of % events: look at the triggers and rules of audit_event', written, expected
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END IF;
  RETURN NULL;
END
$$;
`;
