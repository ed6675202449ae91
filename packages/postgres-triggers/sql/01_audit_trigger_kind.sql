CREATE OR REPLACE FUNCTION audit_trigger_kind(of_type oid) RETURNS text LANGUAGE sql STABLE AS $$
  -- version: 2
  -- How a value of this type is told: b, i and s stand in an event as row_to_json gives them; n is a bigint, d a numeric, f a
  -- float, t and z timestamps, j JSON, x bytes, r what row_to_json would make an object of; [ and a kind is an array, R one of r.
  SELECT CASE
    WHEN t.typtype = 'd' THEN audit_trigger_kind(t.typbasetype)
    WHEN t.typoutput = 'array_out'::regproc THEN
      CASE audit_trigger_kind(t.typelem) WHEN 'r' THEN 'R' ELSE '[' || audit_trigger_kind(t.typelem) END
    WHEN t.oid = 16 THEN 'b'
    WHEN t.oid IN (21, 23) THEN 'i'
    WHEN t.oid = 20 THEN 'n'
    WHEN t.oid = 1700 THEN 'd'
    WHEN t.oid IN (700, 701) THEN 'f'
    WHEN t.oid = 1114 THEN 't'
    WHEN t.oid = 1184 THEN 'z'
    WHEN t.oid IN (114, 3802) THEN 'j'
    WHEN t.oid = 17 THEN 'x'
    WHEN t.typtype = 'c' THEN 'r'
    -- row_to_json calls a cast to json, where somebody has made one.
    WHEN t.oid >= 16384 AND EXISTS (SELECT FROM pg_cast AS c WHERE c.castsource = t.oid AND c.casttarget = 114) THEN 'r'
    ELSE 's'
  END
  FROM pg_type AS t WHERE t.oid = of_type
$$;
