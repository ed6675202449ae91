// Made from sql/13_audit_trigger_truncate.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_TRUNCATE = `CREATE OR REPLACE FUNCTION audit_trigger_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET extra_float_digits = 1 AS $$
  -- version: 2
  -- Records what a TRUNCATE takes, before it does: each row as deleted, or one event with their number where there are more than
  -- 10,000, or one that says that they could not be read. TRUNCATE holds its lock already.
DECLARE
  t record;
  c record;
  zero bytea := decode('00', 'hex');
  clock bigint;
  touched bigint;
  written bigint;
  told text;
  fidelity text := 'count-only';
  id text;
  body bytea;
BEGIN
  c := audit_trigger_context(current_setting('indelible.context', true), TG_ARGV[3]);
  IF has_table_privilege(TG_RELID, 'SELECT') AND NOT row_security_active(TG_RELID) THEN
    -- Partitions and tables that inherit are truncated with it, and each has a trigger of its own.
    EXECUTE format('SELECT count(*) FROM ONLY %s', TG_RELID::regclass) INTO touched;
    IF touched = 0 THEN
      RETURN NULL;
    END IF;
  ELSE
    fidelity := 'opaque';
  END IF;
  clock := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 4;
  IF touched <= 10000 THEN
    t := audit_trigger_columns(TG_RELID, TG_ARGV);
    EXECUTE format('INSERT INTO audit_event
      SELECT e.id::uuid, $1, e.body, sha256($2 || e.body), e.at, e.action, %L, %L, $3, $4, $5[1], e.resource_id, $6, $7, $8, $9
      FROM (SELECT row_to_json(o.*) AS old_row, CASE WHEN $15 THEN audit_trigger_fields((o.*)::text) END AS old_raw,
          row_number() OVER () AS place FROM ONLY %s AS o) AS r,
        LATERAL audit_trigger_events(%L, r.old_row, NULL, r.old_raw, NULL, r.place, $16, $5, $17, $18, $19, $10, $20, $21,
          $11, $12, $13, $1, $14) AS e', 'data', 'success', TG_RELID::regclass, 'delete')
      USING c.log, zero, c.actor_type, c.actor_id, TG_ARGV, c.tenant, c.request_id, c.transaction_id, c.ip, t.keys, c.actor,
        c.surroundings, c.details, c.tags, t.has_raw, clock, t.names, t.kinds, t.flags, t.places, t.soft;
    GET DIAGNOSTICS written = ROW_COUNT;
  ELSE
    id := overlay(overlay(lpad(to_hex(clock / 4000), 12, '0') PLACING '-' FROM 9 FOR 0) PLACING '-7' FROM 14 FOR 0)
      || lpad(to_hex(clock % 4000 * 4096 / 4000), 3, '0') || substr(gen_random_uuid()::text, 19);
    told := to_char(timestamp '1970-01-01' + clock / 4000 * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
    body := convert_to(concat('{"action":', to_json(TG_ARGV[2] || '.truncated'), ',"actor":', c.actor, ',"category":"data","change":{"fidelity":"',
      fidelity, '","operation":"truncate"},"context":', c.surroundings, ',"details":{', c.details, ',"rows":' || touched,
      '},"id":"', id, '","log":', to_json(c.log), ',"outcome":"success","resource":{"id":"*","type":', to_json(TG_ARGV[1]), '},"salt":"',
      encode(uuid_send(gen_random_uuid()), 'base64'), '"', ',"tags":[' || c.tags || ']', ',"time":"', told, '","v":1}'), 'UTF8');
    INSERT INTO audit_event VALUES (id::uuid, c.log, body, sha256(zero || body), told, TG_ARGV[2] || '.truncated', 'data', 'success',
      c.actor_type, c.actor_id, TG_ARGV[1], '*', c.tenant, c.request_id, c.transaction_id, c.ip);
    GET DIAGNOSTICS written = ROW_COUNT;
    touched := 1;
  END IF;
  IF written <> touched THEN
    RAISE EXCEPTION 'indelible: the database took % of % events: look at the triggers and rules of audit_event', written, touched
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END
$$;
`;
