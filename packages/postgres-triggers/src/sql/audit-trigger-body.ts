// Made from sql/09_audit_trigger_body.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_BODY = `CREATE OR REPLACE FUNCTION audit_trigger_body(
  id text, change text[], operation text, action text, resource_type text, resource_id text, new_resource_id text, at text,
  has_key boolean, actor text, surroundings text, details text, log text, tags text
) RETURNS bytea LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- The bytes of an event, its members in the order of canonical JSON, at most 64 KiB.
DECLARE
  told text := concat(',"context":', surroundings, ',"details":{', details, ',"newResourceId":' || to_json(new_resource_id)::text,
    '},"id":"', id, '","log":', to_json(log), ',"outcome":"success","resource":{"id":', to_json(resource_id), ',"type":',
    -- 122 of its 128 bits are random: enough to keep a leaf from confirming a guess.
    to_json(resource_type), '},"salt":"', encode(uuid_send(gen_random_uuid()), 'base64'), '"',
    ',"tags":[' || nullif(concat_ws(',', CASE WHEN NOT has_key THEN '"no-primary-key"' END, tags), '') || ']',
    ',"time":"', at, '","v":1}');
  room integer := 65536 - 256 - octet_length(actor) - octet_length(action) - octet_length(told);
BEGIN
  IF octet_length(concat(change[1], change[2], change[3])) > room THEN
    change := audit_trigger_fit(change, room);
  END IF;
  RETURN convert_to(concat('{"action":', to_json(action), ',"actor":', actor, ',"category":"data","change":{',
    '"after":{' || change[1] || '},', '"before":{' || change[2] || '},', '"fidelity":"exact"', ',"fields":[' || change[3] || ']',
    ',"operation":"', operation, '"}', told), 'UTF8');
END
$$;
`;
