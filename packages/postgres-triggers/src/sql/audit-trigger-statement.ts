// Made from sql/11_audit_trigger_statement.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_STATEMENT = `CREATE OR REPLACE FUNCTION audit_trigger_statement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
  -- version: 1
  -- Records the rows of one statement, from its transition tables. PostgreSQL appends the old and the new version of a row to them
  -- at the same moment, so the rows of an UPDATE are paired by their places, also where keys change.
DECLARE
  t record;
  c record;
  zero bytea := decode('00', 'hex');
  clock bigint;
  touched bigint;
  written bigint;
  expected bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    touched := (SELECT count(*) FROM new_rows);
  ELSE
    touched := (SELECT count(*) FROM old_rows);
  END IF;
  IF touched = 0 THEN
    RETURN NULL;
  END IF;
  t := audit_trigger_columns(TG_RELID, TG_ARGV);
  c := audit_trigger_context(current_setting('indelible.context', true), TG_ARGV[3]);
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 4;
  expected := touched;
  CASE TG_OP
    WHEN 'INSERT' THEN
      INSERT INTO audit_event
        SELECT b.id::uuid, c.log, b.body, sha256(zero || b.body), b.at, b.action, 'data', 'success', c.actor_type, c.actor_id,
          TG_ARGV[1], b.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
        FROM (SELECT e.id, e.at, e.action, e.resource_id, audit_trigger_body(e.id, e.change, e.operation, e.action, TG_ARGV[1],
            e.resource_id, e.new_resource_id, e.at, cardinality(t.keys) > 0, c.actor, c.surroundings, c.details, c.log, c.tags) AS body
          FROM (SELECT row_to_json(n.*) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw,
            row_number() OVER () AS place FROM new_rows AS n) AS r,
          LATERAL audit_trigger_events('create', NULL, r.new_row, NULL, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds,
            t.flags, t.keys, t.places, t.soft) AS e OFFSET 0) AS b;
    WHEN 'DELETE' THEN
      INSERT INTO audit_event
        SELECT b.id::uuid, c.log, b.body, sha256(zero || b.body), b.at, b.action, 'data', 'success', c.actor_type, c.actor_id,
          TG_ARGV[1], b.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
        FROM (SELECT e.id, e.at, e.action, e.resource_id, audit_trigger_body(e.id, e.change, e.operation, e.action, TG_ARGV[1],
            e.resource_id, e.new_resource_id, e.at, cardinality(t.keys) > 0, c.actor, c.surroundings, c.details, c.log, c.tags) AS body
          FROM (SELECT row_to_json(o.*) AS old_row, CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw,
            row_number() OVER () AS place FROM old_rows AS o) AS r,
          LATERAL audit_trigger_events('delete', r.old_row, NULL, r.old_raw, NULL, r.place, clock, TG_ARGV, t.names, t.kinds,
            t.flags, t.keys, t.places, t.soft) AS e OFFSET 0) AS b;
    ELSE
      IF touched = 1 AND (SELECT count(*) FROM new_rows) = 1 THEN
        INSERT INTO audit_event
          SELECT b.id::uuid, c.log, b.body, sha256(zero || b.body), b.at, b.action, 'data', 'success', c.actor_type, c.actor_id,
            TG_ARGV[1], b.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
          FROM (SELECT e.id, e.at, e.action, e.resource_id, audit_trigger_body(e.id, e.change, e.operation, e.action, TG_ARGV[1],
              e.resource_id, e.new_resource_id, e.at, cardinality(t.keys) > 0, c.actor, c.surroundings, c.details, c.log, c.tags) AS body
            FROM (SELECT row_to_json(o.*) AS old_row, row_to_json(n.*) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw,
              CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw, 1::bigint AS place FROM old_rows AS o, new_rows AS n) AS r,
            LATERAL audit_trigger_events('update', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds,
              t.flags, t.keys, t.places, t.soft) AS e OFFSET 0) AS b;
      ELSIF touched = (SELECT count(*) FROM new_rows) THEN
        INSERT INTO audit_event
          SELECT b.id::uuid, c.log, b.body, sha256(zero || b.body), b.at, b.action, 'data', 'success', c.actor_type, c.actor_id,
            TG_ARGV[1], b.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
          FROM (SELECT e.id, e.at, e.action, e.resource_id, audit_trigger_body(e.id, e.change, e.operation, e.action, TG_ARGV[1],
              e.resource_id, e.new_resource_id, e.at, cardinality(t.keys) > 0, c.actor, c.surroundings, c.details, c.log, c.tags) AS body
            FROM (SELECT o.old_row, n.new_row, o.old_raw, n.new_raw, place
            FROM (SELECT row_to_json(o.*) AS old_row, CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw,
                row_number() OVER () AS place FROM old_rows AS o) AS o
              JOIN (SELECT row_to_json(n.*) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw,
                row_number() OVER () AS place FROM new_rows AS n) AS n USING (place)) AS r,
            LATERAL audit_trigger_events('update', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds,
              t.flags, t.keys, t.places, t.soft) AS e OFFSET 0) AS b;
      ELSE
        RAISE EXCEPTION 'indelible: %.% lost rows on their way to another partition', TG_TABLE_SCHEMA, TG_TABLE_NAME;
      END IF;
  END CASE;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written < touched AND TG_OP = 'UPDATE' THEN
    -- Rows whose values stayed the same have no event.
    SELECT count(*) INTO expected FROM (SELECT o.old_row, n.new_row, o.old_raw, n.new_raw, place
          FROM (SELECT row_to_json(o.*) AS old_row, CASE WHEN t.has_raw THEN audit_trigger_fields((o.*)::text) END AS old_raw,
              row_number() OVER () AS place FROM old_rows AS o) AS o
            JOIN (SELECT row_to_json(n.*) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields((n.*)::text) END AS new_raw,
              row_number() OVER () AS place FROM new_rows AS n) AS n USING (place)) AS r,
          LATERAL audit_trigger_events('update', r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds,
            t.flags, t.keys, t.places, t.soft) AS e;
  END IF;
  IF written <> expected THEN
    RAISE EXCEPTION 'indelible: the database took % of % events: look at the triggers and rules of audit_event', written, expected
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END
$$;
`;
