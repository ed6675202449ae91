CREATE OR REPLACE FUNCTION audit_trigger_columns(
  relation oid, config text[],
  OUT names text[], OUT kinds text[], OUT flags text[], OUT keys text[], OUT places integer[], OUT soft text, OUT has_raw boolean
) LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- The columns as they are now, in the order of row_to_json: under which name (as JSON) and how each is told. What was said of a
  -- column when the triggers were installed stands in config; a column that has come since is masked where its name contains
  -- anything secret. Flags: m masked unless true, false or NULL, M masked, x left out.
DECLARE
  columns text;
  types text;
BEGIN
  SELECT config[6]::text[], config[7]::text[], config[9]::text[], config[8]::text[], config[11]::integer[], nullif(config[10], ''),
      config[12] LIKE '%raw%'
    INTO kinds, flags, names, keys, places, soft, has_raw
    -- The index gives them in their order; where another plan does not, they are looked at below.
    FROM (SELECT array_agg(attname)::text AS columns, array_agg(atttypid)::text AS types
      FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped) AS n
    WHERE n.columns = config[4] AND n.types = config[5];
  IF FOUND THEN
    -- Nothing has changed since.
    RETURN;
  END IF;
  SELECT array_agg(a.attname)::text, array_agg(a.atttypid)::text INTO columns, types
    FROM (SELECT attname, atttypid FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS a;
  soft := nullif(config[10], '');
  keys := config[8];
  SELECT array_agg(coalesce((config[9]::text[])[array_position(config[4]::text[], c.name)], to_json(c.name)::text) ORDER BY c.n),
      array_agg(CASE WHEN config[12] LIKE '%link%' THEN replace(audit_trigger_kind(c.type), 'i', 'n') ELSE audit_trigger_kind(c.type) END
        ORDER BY c.n),
      array_agg(coalesce((config[7]::text[])[array_position(config[4]::text[], c.name)], CASE WHEN c.name ~* config[13] THEN 'm' ELSE '' END)
        ORDER BY c.n)
    INTO names, kinds, flags FROM unnest(columns::text[], types::oid[]) WITH ORDINALITY AS c(name, type, n);
  places := ARRAY(SELECT array_position(columns::text[], k.name) FROM unnest(keys) WITH ORDINALITY AS k(name, n) ORDER BY k.n);
  IF array_position(places, NULL) IS NOT NULL THEN
    -- A column of the key is gone.
    keys := '{}';
    places := '{}';
  END IF;
  IF NOT columns::text[] @> ARRAY[soft] THEN
    soft := NULL;
  END IF;
  has_raw := kinds && ARRAY['r', 'R'];
END
$$;
