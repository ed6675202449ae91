// Made from sql/05_audit_trigger_context.sql by scripts/compile-functions.mjs. Edit that.

export const AUDIT_TRIGGER_CONTEXT = `CREATE OR REPLACE FUNCTION audit_trigger_actor(actor jsonb, depth integer) RETURNS text LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- An actor as the body of an event has it, NULL for what is none: whoever is connected may set the context to anything.
DECLARE
  behalf text;
BEGIN
  IF actor ->> 'id' = '' OR depth > 5
    OR coalesce(actor ->> 'type', '') NOT IN ('user', 'service', 'system', 'api_key', 'anonymous') THEN
    RETURN NULL;
  END IF;
  IF actor ? 'onBehalfOf' THEN
    behalf := audit_trigger_actor(actor -> 'onBehalfOf', depth + 1);
    IF behalf IS NULL THEN
      RETURN NULL;
    END IF;
  END IF;
  RETURN coalesce('{"email":' || to_json(actor ->> 'email')::text || ',"id":', '{"id":') || to_json(actor ->> 'id')::text
    || concat(',"onBehalfOf":' || behalf, ',"role":' || to_json(actor ->> 'role')::text) || ',"type":"' || (actor ->> 'type') || '"}';
END
$$;

CREATE OR REPLACE FUNCTION audit_trigger_context(
  told text, origin text,
  OUT actor text, OUT surroundings text, OUT details text, OUT log text, OUT tags text,
  OUT actor_type text, OUT actor_id text, OUT tenant text, OUT request_id text, OUT transaction_id text, OUT ip text
) LANGUAGE plpgsql STABLE AS $$
  -- version: 2
  -- Who acts and what surrounds it: as the application told in the setting indelible.context, or who is connected. What is told
  -- is a claim: it carries a MAC by which indelible reconcile knows whether the application made it. What the database itself
  -- knows stands beside it in any case.
DECLARE
  given jsonb;
  context jsonb;
  address text := host(inet_client_addr());
  acting text := current_setting('role', true);
  transaction text := pg_current_xact_id()::text;
BEGIN
  details := concat('"database":{', '"address":"' || address || '",',
    '"application":' || to_json(nullif(current_setting('application_name', true), ''))::text || ',', '"process":', pg_backend_pid(),
    ',"role":' || to_json(nullif(nullif(acting, 'none'), session_user))::text,
    ',"transaction":"', transaction, '","user":', to_json(session_user::text), '}');
  IF told <> '' THEN
    BEGIN
      IF octet_length(told) <= 49152 THEN
        given := told::jsonb;
        actor := audit_trigger_actor(given -> 'actor', 1);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      actor := NULL;
    END;
    context := given -> 'context';
    log := given ->> 'log';
    IF actor IS NULL OR coalesce(jsonb_typeof(context), '') <> 'object' OR log IS NULL OR length(log) > 600 OR log <> origin AND NOT starts_with(log, origin || '/') THEN
      actor := NULL;
      tags := '"context-unreadable"';
    END IF;
  END IF;
  IF actor IS NULL THEN
    log := origin;
    actor_type := 'service';
    actor_id := session_user;
    transaction_id := 'postgres:' || transaction;
    ip := address;
    actor := '{"id":' || to_json(actor_id)::text || ',"role":"database","type":"service"}';
    surroundings := concat('{', '"ip":"' || ip || '",', '"source":"database","transactionId":"', transaction_id, '"}');
    RETURN;
  END IF;
  actor_type := given -> 'actor' ->> 'type';
  actor_id := given -> 'actor' ->> 'id';
  ip := context ->> 'ip';
  request_id := context ->> 'requestId';
  tenant := context ->> 'tenant';
  transaction_id := coalesce(context ->> 'transactionId', 'postgres:' || transaction);
  -- In the order of canonical JSON. Everything becomes text, whatever it was told as.
  surroundings := '{' || substr(concat(
    ',"correlationId":' || to_json(context ->> 'correlationId')::text, ',"ip":' || to_json(ip)::text,
    ',"method":' || to_json(context ->> 'method')::text, ',"requestId":' || to_json(request_id)::text,
    ',"route":' || to_json(context ->> 'route')::text, ',"sessionId":' || to_json(context ->> 'sessionId')::text,
    ',"source":' || to_json(context ->> 'source')::text, ',"tenant":' || to_json(tenant)::text,
    ',"traceId":' || to_json(context ->> 'traceId')::text, ',"transactionId":' || to_json(transaction_id)::text,
    ',"userAgent":' || to_json(context ->> 'userAgent')::text), 2) || '}';
  details := concat(details, ',"operation":{"id":' || to_json(given ->> 'operation')::text,
    ',"mac":' || to_json(given ->> 'mac')::text, CASE WHEN given ? 'operation' THEN '}' END);
  tags := to_json(given ->> 'tag')::text;
END
$$;
`;
