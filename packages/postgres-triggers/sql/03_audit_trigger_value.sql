CREATE OR REPLACE FUNCTION audit_trigger_value(kind text, value json, raw text, secret_name text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- A column's value as an event tells it, as JSON text: what row_to_json made of it, or the raw text of the types of which it
  -- would make an object. For the kinds see audit_trigger_kind.
DECLARE
  shown text := value::text;
  bytes bytea;
  parts text[];
  at timestamp;
BEGIN
  IF shown IS NULL OR shown = 'null' THEN
    RETURN 'null';
  END IF;
  CASE left(kind, 1)
    WHEN 'n' THEN
      RETURN '"' || shown || '"';
    WHEN 'd' THEN
      IF left(shown, 1) = '"' THEN
        RETURN shown;
      END IF;
      RETURN '"' || trim_scale(shown::numeric) || '"';
    WHEN 'f' THEN
      IF left(shown, 1) = '"' THEN
        RETURN '{"$indelible":"number","value":' || shown || '}';
      END IF;
      RETURN CASE shown WHEN '-0' THEN '0' ELSE shown END;
    WHEN 't', 'z' THEN
      shown := value #>> '{}';
      at := CASE kind WHEN 'z' THEN shown::timestamptz AT TIME ZONE 'UTC' ELSE shown::timestamp END;
      shown := btrim(to_json(at)::text, '"');
      parts := regexp_match(shown, '^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.]([0-9]+))?$');
      IF parts IS NULL THEN
        -- Before Christ, after the year 9999, and the infinities.
        RETURN to_json(CASE kind WHEN 'z' THEN replace(replace(shown, 'T', ' '), ' BC', '+00 BC') ELSE replace(shown, 'T', ' ') END)::text;
      END IF;
      RETURN '"' || parts[1] || '.' || rpad(rtrim(coalesce(parts[2], ''), '0'), greatest(3, length(rtrim(coalesce(parts[2], ''), '0'))), '0') || 'Z"';
    WHEN 'j' THEN
      BEGIN
        shown := value::jsonb::text;
      EXCEPTION WHEN OTHERS THEN
        -- JSON that has no value in PostgreSQL, such as U+0000 or half a character: its text is told.
        RETURN '{"$indelible":"text","value":' || to_json(shown)::text || '}';
      END;
      IF shown ~ '^["tf]' THEN
        RETURN shown;
      END IF;
      RETURN audit_trigger_json(shown::jsonb, secret_name, 1);
    WHEN 'x' THEN
      bytes := (value #>> '{}')::bytea;
      IF octet_length(bytes) > 1024 THEN
        RETURN '{"$indelible":"bytes","length":' || octet_length(bytes) || ',"sha256":"' || encode(sha256(bytes), 'hex') || '"}';
      END IF;
      RETURN '"' || replace(encode(bytes, 'base64'), chr(10), '') || '"';
    WHEN 'r' THEN
      RETURN to_json(raw)::text;
    WHEN 'R' THEN
      RETURN replace(to_json(raw::text[])::text, chr(10), '');
    WHEN '[' THEN
      SELECT '[' || coalesce(string_agg(
          CASE WHEN left(e.value::text, 1) = '[' AND kind <> '[j' THEN audit_trigger_value(kind, e.value, NULL, secret_name)
            WHEN substr(kind, 2) IN ('s', 'b', 'i') THEN e.value::text
            ELSE audit_trigger_value(substr(kind, 2), e.value, NULL, secret_name) END, ',' ORDER BY e.n), '') || ']'
        INTO shown FROM json_array_elements(value) WITH ORDINALITY AS e(value, n);
      RETURN shown;
    ELSE
      RETURN shown;
  END CASE;
END
$$;
