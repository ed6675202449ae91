// Made from sql/04_audit_trigger_fields.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_FIELDS = `CREATE OR REPLACE FUNCTION audit_trigger_fields(record text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  -- version: 2
  -- The texts of a row's columns from the text of the row, as record_out writes it: (1,"a ""b""",). NULL for NULL.
  SELECT array_agg(CASE
      WHEN m[1] = '' THEN NULL
      WHEN left(m[1], 1) = '"' THEN replace(replace(substr(m[1], 2, length(m[1]) - 2), '""', '"'), repeat(chr(92), 2), chr(92))
      ELSE m[1]
    END ORDER BY n)
  FROM regexp_matches(substr(record, 2, length(record) - 2) || ',', '("(?:[^"]|"")*"|[^",]*),', 'g') WITH ORDINALITY AS r(m, n)
$$;
`;
