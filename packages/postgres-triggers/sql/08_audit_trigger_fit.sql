CREATE OR REPLACE FUNCTION audit_trigger_units(value text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$
  -- version: 2
  -- The length of a text as JavaScript counts: two for each character beyond the first 65,536.
BEGIN
  RETURN length(value) + length(regexp_replace(value, '[' || chr(1) || '-' || chr(65535) || ']', '', 'g'));
END
$$;

CREATE OR REPLACE FUNCTION audit_trigger_cut(value text, units integer) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
  -- version: 2
  -- The beginning of a text, of at most so many units.
DECLARE
  size integer := units;
  excess integer;
BEGIN
  LOOP
    excess := audit_trigger_units(left(value, size)) - units;
    EXIT WHEN excess <= 0;
    size := size - (excess + 1) / 2;
  END LOOP;
  RETURN left(value, size);
END
$$;

CREATE OR REPLACE FUNCTION audit_trigger_shrink(value jsonb, text_limit integer, item_limit integer) RETURNS text
LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- A value with its long texts, arrays and objects cut and marked.
DECLARE
  shown text;
  size integer;
BEGIN
  CASE jsonb_typeof(value)
    WHEN 'string' THEN
      shown := value #>> '{}';
      IF length(shown) * 2 <= text_limit THEN
        RETURN value::text;
      END IF;
      size := audit_trigger_units(shown);
      IF size <= text_limit THEN
        RETURN value::text;
      END IF;
      RETURN '{"$indelible":"cut","length":' || size || ',"value":' || to_json(audit_trigger_cut(shown, text_limit))::text || '}';
    WHEN 'array' THEN
      size := jsonb_array_length(value);
      SELECT '[' || string_agg(audit_trigger_shrink(m.value, text_limit, item_limit), ',' ORDER BY m.n) || ']'
        INTO shown FROM jsonb_array_elements(value) WITH ORDINALITY AS m(value, n) WHERE m.n <= item_limit;
      shown := coalesce(shown, '[]');
      RETURN CASE WHEN size > item_limit THEN '{"$indelible":"cut","length":' || size || ',"value":' || shown || '}' ELSE shown END;
    WHEN 'object' THEN
      IF value ? '$indelible' THEN
        RETURN CASE WHEN octet_length(value::text) > text_limit THEN '{"$indelible":"cut","length":1}' ELSE value::text END;
      END IF;
      SELECT count(*), '{' || string_agg(to_json(m.key)::text || ':' || audit_trigger_shrink(m.value, text_limit, item_limit), ','
          ORDER BY m.n) FILTER (WHERE m.n <= item_limit) || '}'
        INTO size, shown FROM jsonb_each(value) WITH ORDINALITY AS m(key, value, n);
      shown := coalesce(shown, '{}');
      RETURN CASE WHEN size > item_limit THEN '{"$indelible":"cut","length":' || size || ',"value":' || shown || '}' ELSE shown END;
    ELSE
      RETURN value::text;
  END CASE;
END
$$;

CREATE OR REPLACE FUNCTION audit_trigger_fit(change text[], room integer) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- The members of a change (after, before, fields), without the braces around them, cut until they fit: first long values, then
  -- all of them, then the names of the fields. The steps are those of the library.
DECLARE
  cut text[];
  step integer[];
  names jsonb;
BEGIN
  FOREACH step SLICE 1 IN ARRAY ARRAY[[8192, 1024], [2048, 256], [512, 64], [128, 32], [32, 16]] LOOP
    cut := change;
    FOR side IN 1 .. 2 LOOP
      CONTINUE WHEN change[side] IS NULL;
      cut[side] := (SELECT string_agg(to_json(m.key)::text || ':' || audit_trigger_shrink(m.value::jsonb, step[1], step[2]), ',' ORDER BY m.n)
        FROM json_each(('{' || change[side] || '}')::json) WITH ORDINALITY AS m(key, value, n));
    END LOOP;
    EXIT WHEN octet_length(concat(cut[1], cut[2], cut[3])) <= room;
  END LOOP;
  IF octet_length(concat(cut[1], cut[2], cut[3])) > room THEN
    FOR side IN 1 .. 2 LOOP
      IF change[side] IS NOT NULL THEN
        cut[side] := '"$indelible":"cut","length":' || (SELECT count(*) FROM json_object_keys(('{' || change[side] || '}')::json));
      END IF;
    END LOOP;
    names := ('[' || change[3] || ']')::jsonb;
    IF jsonb_array_length(names) > 64 THEN
      cut[3] := (SELECT string_agg(m.value::text, ',' ORDER BY m.n) || ',"…"'
        FROM jsonb_array_elements(names) WITH ORDINALITY AS m(value, n) WHERE m.n <= 64);
    END IF;
  END IF;
  RETURN cut;
END
$$;
