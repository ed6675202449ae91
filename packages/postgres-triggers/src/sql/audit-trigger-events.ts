// Made from sql/10_audit_trigger_events.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_EVENTS = `CREATE OR REPLACE FUNCTION audit_trigger_events(
  verb text, old_row json, new_row json, old_raw text[], new_raw text[], place bigint, clock bigint, config text[],
  names text[], kinds text[], flags text[], keys text[], places integer[], soft text,
  actor text, surroundings text, details text, log text, tags text
) RETURNS TABLE (id text, at text, action text, resource_id text, body bytea) LANGUAGE sql STABLE AS $$
  -- version: 2
  -- The event of one row; none where nothing that is recorded has changed. clock counts quarters of a microsecond since 1970: the
  -- rows of one statement are that far apart, and each event's id rises above those before it. Its members stand in the order of
  -- canonical JSON, in at most 64 KiB. It becomes a part of the query that calls it, whose plan is kept.
  SELECT b.id, b.at, b.action, b.resource_id,
    CASE WHEN octet_length(b.told) <= 65280 THEN convert_to(b.told, 'UTF8')
      ELSE audit_trigger_body(b.id, b.change, b.operation, b.action, config[1], b.resource_id, b.new_resource_id, b.at, cardinality(keys) > 0,
        actor, surroundings, details, log, tags) END
  FROM (
    SELECT r.*, concat('{"action":', to_json(r.action), ',"actor":', actor, ',"category":"data","change":{', '"after":{' || r.change[1] || '},',
        '"before":{' || r.change[2] || '},', '"fidelity":"exact"', ',"fields":[' || r.change[3] || ']', ',"operation":"', r.operation,
        '"},"context":', surroundings, ',"details":{', details, ',"newResourceId":' || to_json(r.new_resource_id)::text, '},"id":"', r.id,
        '","log":', to_json(log), ',"outcome":"success","resource":{"id":', to_json(r.resource_id), ',"type":', to_json(config[1]),
        -- 122 of its 128 bits are random: enough to keep a leaf from confirming a guess.
        '},"salt":"', encode(uuid_send(gen_random_uuid()), 'base64'), '"',
        CASE WHEN cardinality(keys) = 0 THEN concat(',"tags":["no-primary-key"', ',' || tags, ']') ELSE ',"tags":[' || tags || ']' END,
        ',"time":"', r.at, '","v":1}') AS told
    FROM (
      SELECT overlay(overlay(lpad(to_hex((clock + place - 1) / 4000), 12, '0') PLACING '-' FROM 9 FOR 0) PLACING '-7' FROM 14 FOR 0)
          || lpad(to_hex((clock + place - 1) % 4000 * 4096 / 4000), 3, '0') || substr(gen_random_uuid()::text, 19) AS id,
        to_char(timestamp '1970-01-01' + (clock + place - 1) / 4000 * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
        ARRAY[c.after, c.before, c.fields] AS change,
        c.operation, config[2] || '.' || c.operation || CASE WHEN right(c.operation, 1) = 'e' THEN 'd' ELSE 'ed' END AS action,
        CASE WHEN cardinality(keys) = 1 AND flags[places[1]] = '' AND kinds[places[1]] IN ('s', 'i', 'n')
            AND octet_length(coalesce(old_row, new_row) ->> keys[1]) <= 1024 THEN coalesce(old_row, new_row) ->> keys[1]
          ELSE audit_trigger_identity(coalesce(old_row, new_row), coalesce(old_raw, new_raw), keys, places, names, kinds, flags) END AS resource_id,
        CASE WHEN verb <> 'update' OR cardinality(keys) = 0
            OR cardinality(keys) = 1 AND (old_row ->> keys[1]) = (new_row ->> keys[1]) THEN NULL
          ELSE nullif(audit_trigger_identity(new_row, new_raw, keys, places, names, kinds, flags),
            audit_trigger_identity(old_row, old_raw, keys, places, names, kinds, flags)) END AS new_resource_id
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
            CASE WHEN kinds[c.i] IN ('s', 'i', 'b') OR c.old_value IS NULL OR c.old_value::text = 'null' THEN c.old_value::text
          -- The usual forms of the commonest types are told here: to call a function costs more than to tell them.
          WHEN kinds[c.i] = 'n' THEN '"' || c.old_value::text || '"'
          WHEN kinds[c.i] = 'f' AND c.old_value::text NOT IN ('-0', '"NaN"', '"Infinity"', '"-Infinity"') THEN c.old_value::text
          WHEN kinds[c.i] = 't' AND length(c.old_value::text) BETWEEN 23 AND 28 AND substr(c.old_value::text, 6, 1) = '-' AND substr(c.old_value::text, 21, 1) = '.'
            THEN rpad(left(c.old_value::text, -1), greatest(24, length(c.old_value::text) - 1), '0') || 'Z"'
          ELSE audit_trigger_value(kinds[c.i], c.old_value, old_raw[c.i], config[13]) END AS old_token,
            CASE WHEN kinds[c.i] IN ('s', 'i', 'b') OR c.new_value IS NULL OR c.new_value::text = 'null' THEN c.new_value::text
          -- The usual forms of the commonest types are told here: to call a function costs more than to tell them.
          WHEN kinds[c.i] = 'n' THEN '"' || c.new_value::text || '"'
          WHEN kinds[c.i] = 'f' AND c.new_value::text NOT IN ('-0', '"NaN"', '"Infinity"', '"-Infinity"') THEN c.new_value::text
          WHEN kinds[c.i] = 't' AND length(c.new_value::text) BETWEEN 23 AND 28 AND substr(c.new_value::text, 6, 1) = '-' AND substr(c.new_value::text, 21, 1) = '.'
            THEN rpad(left(c.new_value::text, -1), greatest(24, length(c.new_value::text) - 1), '0') || 'Z"'
          ELSE audit_trigger_value(kinds[c.i], c.new_value, new_raw[c.i], config[13]) END AS new_token
          FROM ROWS FROM (json_each(old_row), json_each(new_row)) WITH ORDINALITY AS c(old_name, old_value, new_name, new_value, i)
          WHERE flags[c.i] <> 'x'
            AND (verb <> 'update' OR config[12] LIKE '%full%' OR c.old_value::text <> c.new_value::text OR old_raw[c.i] IS DISTINCT FROM new_raw[c.i])
          OFFSET 0
        ) AS f
        WHERE verb <> 'update' OR config[12] LIKE '%full%' OR f.old_token <> f.new_token
      ) AS c
      WHERE verb <> 'update' OR c.fields IS NOT NULL
      OFFSET 0
    ) AS r
    OFFSET 0
  ) AS b
  -- The salt of a body makes each evaluation of it another one.
  OFFSET 0
$$;
`;
