// Made from sql/02_audit_trigger_json.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_JSON = `CREATE OR REPLACE FUNCTION audit_trigger_json(value jsonb, secret_name text, depth integer) RETURNS text
LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- A value of a JSON column as an event tells it: without spaces, numbers that JavaScript would round as text, the
  -- application's own keys $indelible with one more $, and what stands under a secret name masked.
  -- Called for values that need it only: see audit_trigger_value.
DECLARE
  shown text;
BEGIN
  IF depth > 64 THEN
    RETURN '{"$indelible":"depth"}';
  END IF;
  CASE jsonb_typeof(value)
    WHEN 'object' THEN
      SELECT '{' || coalesce(string_agg(to_json(CASE WHEN m.key ~ '^[$]+indelible$' THEN '$' || m.key ELSE m.key END)::text || ':' ||
          CASE WHEN m.key ~* secret_name AND jsonb_typeof(m.value) NOT IN ('boolean', 'null')
              -- Numbers of tokens are counts.
              AND NOT (jsonb_typeof(m.value) = 'number' AND m.key ~* 'tokens') THEN '{"$indelible":"masked"}'
            ELSE audit_trigger_json(m.value, secret_name, depth + 1) END, ',' ORDER BY m.n), '') || '}'
        INTO shown FROM jsonb_each(value) WITH ORDINALITY AS m(key, value, n);
      RETURN shown;
    WHEN 'array' THEN
      SELECT '[' || coalesce(string_agg(audit_trigger_json(m.value, secret_name, depth + 1), ',' ORDER BY m.n), '') || ']'
        INTO shown FROM jsonb_array_elements(value) WITH ORDINALITY AS m(value, n);
      RETURN shown;
    WHEN 'number' THEN
      shown := trim_scale(value::numeric)::text;
      IF length(shown) < 16 THEN
        RETURN shown;
      END IF;
      -- The text of a double is the shortest that gives the same one.
      IF length(shown) > 300 OR (abs(shown::numeric) < 1e-300 AND shown::numeric <> 0) OR shown::float8::text::numeric <> shown::numeric THEN
        RETURN to_json(shown)::text;
      END IF;
      RETURN shown;
    ELSE
      RETURN value::text;
  END CASE;
END
$$;
`;
