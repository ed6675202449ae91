// Made from sql/09_audit_trigger_events.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_EVENTS = `CREATE OR REPLACE FUNCTION audit_trigger_events(
  verb text, old_row json, new_row json, old_raw text[], new_raw text[], place bigint, clock bigint, config text[],
  names text[], kinds text[], flags text[], keys text[], places integer[], soft text
) RETURNS TABLE (id text, change text[], operation text, action text, resource_id text, new_resource_id text, at text) LANGUAGE sql STABLE AS $$
  -- version: 1
  -- What the event of one row is made of; no row where nothing that is recorded has changed. clock counts quarters of a
  -- microsecond since 1970: the rows of one statement are that far apart, and each event's id rises above those before it.
  SELECT overlay(overlay(lpad(to_hex((clock + place - 1) / 4000), 12, '0') PLACING '-' FROM 9 FOR 0) PLACING '-7' FROM 14 FOR 0)
      || lpad(to_hex((clock + place - 1) % 4000 * 4096 / 4000), 3, '0') || substr(gen_random_uuid()::text, 19),
    ARRAY[c.after, c.before, c.fields],
    c.operation, config[2] || '.' || c.operation || CASE WHEN right(c.operation, 1) = 'e' THEN 'd' ELSE 'ed' END,
    CASE WHEN cardinality(keys) = 1 AND flags[places[1]] = '' AND kinds[places[1]] IN ('s', 'i', 'n')
        AND octet_length(coalesce(old_row, new_row) ->> keys[1]) <= 1024 THEN coalesce(old_row, new_row) ->> keys[1]
      ELSE audit_trigger_identity(coalesce(old_row, new_row), coalesce(old_raw, new_raw), keys, places, names, kinds, flags) END,
    CASE WHEN verb <> 'update' OR cardinality(keys) = 0
        OR cardinality(keys) = 1 AND (old_row ->> keys[1]) = (new_row ->> keys[1]) THEN NULL
      ELSE nullif(audit_trigger_identity(new_row, new_raw, keys, places, names, kinds, flags),
        audit_trigger_identity(old_row, old_raw, keys, places, names, kinds, flags)) END,
    to_char(timestamp '1970-01-01' + (clock + place - 1) / 4000 * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
  FROM (
    SELECT string_agg(names[f.i] || ':' || CASE WHEN f.new_token IS NULL THEN NULL WHEN flags[f.i] = 'M' OR flags[f.i] = 'm' AND f.new_token NOT IN ('null', 'true', 'false')
          THEN '{"$indelible":"masked"}' ELSE f.new_token END, ',') AS after,
      string_agg(names[f.i] || ':' || CASE WHEN f.old_token IS NULL THEN NULL WHEN flags[f.i] = 'M' OR flags[f.i] = 'm' AND f.old_token NOT IN ('null', 'true', 'false')
          THEN '{"$indelible":"masked"}' ELSE f.old_token END, ',') AS before,
      string_agg(names[f.i], ',') FILTER (WHERE f.old_token <> f.new_token) AS fields,
      CASE verb
        WHEN 'create' THEN CASE WHEN config[12] LIKE '%link%' THEN 'link' ELSE verb END
        WHEN 'delete' THEN CASE WHEN config[12] LIKE '%link%' THEN 'unlink' ELSE verb END
        ELSE CASE WHEN soft IS NULL OR (coalesce(old_row ->> soft, 'false') = 'false') = (coalesce(new_row ->> soft, 'false') = 'false')
            THEN 'update'
          WHEN coalesce(old_row ->> soft, 'false') = 'false' THEN 'soft_delete' ELSE 'restore' END
      END AS operation
    FROM (
      SELECT c.i,
        CASE WHEN kinds[c.i] IN ('s', 'i', 'b') OR c.old_value IS NULL THEN c.old_value::text
          ELSE audit_trigger_value(kinds[c.i], c.old_value, old_raw[c.i], config[13]) END AS old_token,
        CASE WHEN kinds[c.i] IN ('s', 'i', 'b') OR c.new_value IS NULL THEN c.new_value::text
          ELSE audit_trigger_value(kinds[c.i], c.new_value, new_raw[c.i], config[13]) END AS new_token
      FROM ROWS FROM (json_each(old_row), json_each(new_row)) WITH ORDINALITY AS c(old_name, old_value, new_name, new_value, i)
      WHERE flags[c.i] <> 'x'
        AND (verb <> 'update' OR config[12] LIKE '%full%' OR c.old_value::text <> c.new_value::text OR old_raw[c.i] IS DISTINCT FROM new_raw[c.i])
      OFFSET 0
    ) AS f
    WHERE verb <> 'update' OR config[12] LIKE '%full%' OR f.old_token <> f.new_token
  ) AS c
  WHERE verb <> 'update' OR c.fields IS NOT NULL
$$;
`;
