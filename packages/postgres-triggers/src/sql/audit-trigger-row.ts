// Made from sql/12_audit_trigger_row.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_ROW = `CREATE OR REPLACE FUNCTION audit_trigger_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET extra_float_digits = 1 SET plan_cache_mode = force_generic_plan AS $$
  -- version: 2
  -- Records one row: for partitioned tables and those that inherit, whose rows statement triggers would miss, and where a trigger or
  -- a foreign key may touch a row again within the same statement, which a trigger behind it would tell in reverse.
DECLARE
  t record;
  c record;
  zero bytea := decode('00', 'hex');
  verb text := CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'DELETE' THEN 'delete' ELSE 'update' END;
  clock bigint;
  written bigint;
  expected bigint := 1;
BEGIN
  t := audit_trigger_columns(TG_RELID, TG_ARGV);
  c := audit_trigger_context(current_setting('indelible.context', true), TG_ARGV[3]);
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 4;
  INSERT INTO audit_event
    SELECT e.id::uuid, c.log, e.body, sha256(zero || e.body), e.at, e.action, 'data', 'success', c.actor_type, c.actor_id, TG_ARGV[1],
      e.resource_id, c.tenant, c.request_id, c.transaction_id, c.ip
    FROM (SELECT row_to_json(OLD) AS old_row, row_to_json(NEW) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields(OLD::text) END AS old_raw,
      CASE WHEN t.has_raw THEN audit_trigger_fields(NEW::text) END AS new_raw, 1::bigint AS place) AS r,
      LATERAL audit_trigger_events(verb, r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds, t.flags,
        t.keys, t.places, t.soft, c.actor, c.surroundings, c.details, c.log, c.tags) AS e;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF written = 0 AND TG_OP = 'UPDATE' THEN
    SELECT count(*) INTO expected FROM (SELECT row_to_json(OLD) AS old_row, row_to_json(NEW) AS new_row, CASE WHEN t.has_raw THEN audit_trigger_fields(OLD::text) END AS old_raw,
    CASE WHEN t.has_raw THEN audit_trigger_fields(NEW::text) END AS new_raw, 1::bigint AS place) AS r,
      LATERAL audit_trigger_events(verb, r.old_row, r.new_row, r.old_raw, r.new_raw, r.place, clock, TG_ARGV, t.names, t.kinds, t.flags,
        t.keys, t.places, t.soft, c.actor, c.surroundings, c.details, c.log, c.tags) AS e;
  END IF;
  IF written <> expected THEN
    RAISE EXCEPTION 'indelible: the database took no event: look at the triggers and rules of audit_event'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END
$$;
`;
