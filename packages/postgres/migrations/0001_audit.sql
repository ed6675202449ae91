-- Indelible: the audit tables in PostgreSQL, version 1.
-- Nothing here names a schema: everything is made in the first one of search_path, which "indelible migrate --print" sets
-- to the schema of the log, "audit" unless told otherwise, and pg_temp behind it. Functions keep that path.

CREATE TABLE audit_migration (
  version integer NOT NULL PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now(),
  -- That of version 1 names this database, whatever host, pool or role leads to it.
  id uuid NOT NULL DEFAULT gen_random_uuid()
);

CREATE FUNCTION audit_database() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
  SELECT 'postgres:' || m.id || ':' || d.oid || ':' || current_schema()
  FROM audit_migration AS m, pg_database AS d
  WHERE m.version = 1 AND d.datname = current_database()
$$;

-- Insert only. body is the event, leaf = SHA-256(0x00 || body); every other column is derived from body.
-- Texts are compared byte by byte: a log's order must not change with the operating system's locales.
CREATE TABLE audit_event (
  id uuid NOT NULL PRIMARY KEY,
  log text COLLATE "C" NOT NULL,
  body bytea NOT NULL,
  leaf bytea NOT NULL,
  time text COLLATE "C" NOT NULL,
  action text COLLATE "C" NOT NULL,
  category text COLLATE "C" NOT NULL,
  outcome text COLLATE "C" NOT NULL,
  actor_type text COLLATE "C" NOT NULL,
  actor_id text COLLATE "C" NOT NULL,
  resource_type text COLLATE "C",
  resource_id text COLLATE "C",
  tenant text COLLATE "C",
  request_id text COLLATE "C",
  transaction_id text COLLATE "C",
  ip text COLLATE "C"
) PARTITION BY RANGE (id);

-- Takes what belongs to no month that has a partition: no event is refused because a month is missing.
CREATE TABLE audit_event_default PARTITION OF audit_event DEFAULT;

-- Each of these ends with id, so that a list in the order of ids needs no sorting.
-- The counts and the newest events of one log.
CREATE INDEX audit_event_log ON audit_event (log, id);
-- The history of one row. The beginning of a long key is enough to find it, and the whole may be too long for an index.
CREATE INDEX audit_event_resource ON audit_event (resource_type, left(resource_id, 256), id)
  WHERE resource_type IS NOT NULL;
-- What one actor did.
CREATE INDEX audit_event_actor ON audit_event (actor_id, id);
-- Rare actions among many events: failed logins, exports.
CREATE INDEX audit_event_action ON audit_event (action, id);
-- What one request did.
CREATE INDEX audit_event_request ON audit_event (request_id, id) WHERE request_id IS NOT NULL;

-- The events that wait for the sealer. Every row of it dies soon, so it is vacuumed by their number and at full speed.
CREATE TABLE audit_pending (
  log text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  PRIMARY KEY (log, id)
) WITH (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_threshold = -1,
  autovacuum_vacuum_cost_delay = 0
);

-- Events of an application whose log is in another database, until the relay has brought them there: a queue as above. A
-- retry may stand in it twice, because a writer may not look; the log takes each id once.
CREATE TABLE audit_outbox (
  id uuid NOT NULL,
  leaf bytea NOT NULL,
  body bytea NOT NULL
) WITH (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_threshold = -1,
  autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX audit_outbox_id ON audit_outbox (id);

-- Insert only. sealed_at is microseconds since 1970-01-01 UTC.
CREATE TABLE audit_entry (
  log text COLLATE "C" NOT NULL,
  idx bigint NOT NULL,
  event_id uuid NOT NULL UNIQUE,
  leaf bytea NOT NULL,
  hash bytea NOT NULL,
  sealed_at bigint NOT NULL,
  PRIMARY KEY (log, idx)
);

-- Insert only. note is a signed checkpoint of the log at this size, range the compact range of the tree there.
CREATE TABLE audit_checkpoint (
  log text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  note bytea NOT NULL,
  range bytea NOT NULL,
  made_at bigint NOT NULL,
  PRIMARY KEY (log, size)
);

-- One row a log, locked by each seal and rewritten by it: room on its page keeps the index out of that.
CREATE TABLE audit_head (
  log text COLLATE "C" NOT NULL PRIMARY KEY,
  size bigint NOT NULL,
  hash bytea NOT NULL,
  range bytea NOT NULL,
  mac bytea
) WITH (
  fillfactor = 20,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0
);

-- Every writer needs rights on audit_event only, and no event is ever neither pending nor an entry.
CREATE FUNCTION audit_event_to_pending() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
  INSERT INTO audit_pending (log, id) SELECT log, id FROM inserted;
  RETURN NULL;
END
$$;

CREATE FUNCTION audit_refuse() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'indelible: %.% is insert-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation', HINT = 'An audit log is never changed. Verification finds who switches this off.';
END
$$;

-- Statement triggers belong to one table and are not inherited, so each partition gets its own. ALWAYS: they fire also where
-- session_replication_role says that triggers should not.
CREATE FUNCTION audit_guard(guarded regclass, is_event boolean) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', guarded);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER audit_refuse', guarded);
  IF is_event THEN
    EXECUTE format('CREATE TRIGGER audit_event_to_pending AFTER INSERT ON %s REFERENCING NEW TABLE AS inserted
      FOR EACH STATEMENT EXECUTE FUNCTION audit_event_to_pending()', guarded);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER audit_event_to_pending', guarded);
  END IF;
END
$$;

SELECT audit_guard('audit_event', true), audit_guard('audit_event_default', true), audit_guard('audit_entry', false),
  audit_guard('audit_checkpoint', false);

CREATE TRIGGER audit_refuse BEFORE UPDATE OR TRUNCATE ON audit_outbox FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_outbox ENABLE ALWAYS TRIGGER audit_refuse;

-- True if this event is stored with these bytes, false if with others, NULL if it is not: how a writer, who may not read, tells
-- a retry from a conflict.
CREATE FUNCTION audit_event_is_stored(event_id uuid, event_log text, event_body bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
  SELECT e.log = event_log AND e.body = event_body FROM audit_event AS e WHERE e.id = event_id
$$;

-- A trigger or a rule of somebody else can pass over a row without an error.
CREATE FUNCTION audit_require_stored(stored bigint, given bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  IF stored IS DISTINCT FROM given THEN
    RAISE EXCEPTION 'the database took % of % events and dropped the others: look at the triggers and rules of audit_event',
      stored, given USING ERRCODE = 'restrict_violation';
  END IF;
END
$$;

-- Stores one event or fails, so that COMMIT can be sent along with it. The server keeps the plan.
CREATE FUNCTION audit_append_event(event_id uuid, event_log text, event_body bytea, event_leaf bytea, event_time text,
  event_action text, event_category text, event_outcome text, event_actor_type text, event_actor_id text,
  event_resource_type text, event_resource_id text, event_tenant text, event_request_id text, event_transaction_id text,
  event_ip text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
  stored bigint;
BEGIN
  INSERT INTO audit_event (id, log, body, leaf, time, action, category, outcome, actor_type, actor_id,
    resource_type, resource_id, tenant, request_id, transaction_id, ip)
  VALUES (event_id, event_log, event_body, event_leaf, event_time, event_action, event_category, event_outcome,
    event_actor_type, event_actor_id, event_resource_type, event_resource_id, event_tenant, event_request_id,
    event_transaction_id, event_ip);
  GET DIAGNOSTICS stored = ROW_COUNT;
  IF stored <> 1 THEN
    PERFORM audit_require_stored(stored, 1);
  END IF;
END
$$;

-- The smallest UUIDv7 of a month.
CREATE FUNCTION audit_month_start(month date) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT rpad(lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

-- Makes the partitions of this month and of so many months after it, and answers how many of those after it are there.
-- It never waits long for a lock and never fails because of what DEFAULT holds: a month of which rows stand there already
-- has no partition of its own then, and its rows go on to DEFAULT.
CREATE FUNCTION audit_make_partitions(ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '300ms'
AS $$
DECLARE
  this_month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
  month date;
  part text;
  made integer := 0;
BEGIN
  FOR step IN 0 .. ahead LOOP
    month := this_month + make_interval(months => step);
    part := 'audit_event_' || to_char(month, 'YYYY_MM');
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'audit_event'::regclass
          AND inhrelid = to_regclass(part)) THEN
        CONTINUE WHEN EXISTS (SELECT FROM audit_event_default
          WHERE id >= audit_month_start(month)
            AND id < audit_month_start((month + interval '1 month')::date));
        EXECUTE format('CREATE TABLE %I (LIKE audit_event INCLUDING ALL)', part);
        PERFORM audit_guard(to_regclass(part), true);
        -- Unlike PARTITION OF, this does not lock out who writes to other months.
        EXECUTE format('ALTER TABLE audit_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
          audit_month_start(month), audit_month_start((month + interval '1 month')::date));
      END IF;
      IF step > 0 THEN
        made := made + 1;
      END IF;
    EXCEPTION
      -- Rows of this month in DEFAULT, another process that makes the same partition, a reader that holds DEFAULT.
      WHEN check_violation OR duplicate_table OR unique_violation OR lock_not_available OR deadlock_detected THEN
        NULL;
    END;
  END LOOP;
  RETURN made;
END
$$;

SELECT audit_make_partitions(3);

-- Makes the three group roles where they are missing and grants each what it needs. Answers NULL, or what is to be done by
-- somebody who may make roles. Roles belong to the whole cluster, their rights to this database.
CREATE FUNCTION audit_make_roles(writer text, sealer text, reader text) RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
  member text;
BEGIN
  FOREACH member IN ARRAY ARRAY[writer, sealer, reader] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = member) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', member);
      EXCEPTION
        -- Another database of the cluster makes them at this moment.
        WHEN duplicate_object OR unique_violation THEN
          NULL;
        WHEN insufficient_privilege THEN
          RETURN format('the role %I is missing and %I may not create roles', member, current_user);
      END;
    END IF;
  END LOOP;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I, %I, %I', current_schema(), writer, sealer, reader);
  EXECUTE format('GRANT SELECT ON audit_migration TO %I, %I, %I', writer, sealer, reader);
  EXECUTE format('GRANT EXECUTE ON FUNCTION audit_database() TO %I, %I, %I', writer, sealer, reader);
  EXECUTE format('GRANT INSERT ON audit_event, audit_outbox TO %I', writer);
  EXECUTE format('GRANT EXECUTE ON FUNCTION audit_event_is_stored(uuid, text, bytea) TO %I', writer);
  EXECUTE format('GRANT EXECUTE ON FUNCTION audit_require_stored(bigint, bigint) TO %I', writer);
  EXECUTE format('GRANT EXECUTE ON FUNCTION audit_append_event(uuid, text, bytea, bytea, text, text, text, text, text, text,
    text, text, text, text, text, text) TO %I', writer);
  EXECUTE format('GRANT SELECT ON audit_event TO %I', sealer);
  EXECUTE format('GRANT SELECT, DELETE ON audit_pending, audit_outbox TO %I', sealer);
  EXECUTE format('GRANT SELECT, INSERT ON audit_entry, audit_checkpoint TO %I', sealer);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE ON audit_head TO %I', sealer);
  EXECUTE format('GRANT EXECUTE ON FUNCTION audit_make_partitions(integer) TO %I', sealer);
  EXECUTE format('GRANT SELECT ON audit_event, audit_pending, audit_entry, audit_checkpoint, audit_head, audit_outbox TO %I',
    reader);
  RETURN NULL;
END
$$;

-- Or anybody could put a trigger of ours, which has its owner's rights, on a table of his own.
REVOKE ALL ON FUNCTION audit_database(), audit_event_to_pending(), audit_refuse(), audit_guard(regclass, boolean),
  audit_event_is_stored(uuid, text, bytea), audit_require_stored(bigint, bigint),
  audit_append_event(uuid, text, bytea, bytea, text, text, text, text, text, text, text, text, text, text, text, text),
  audit_month_start(date), audit_make_partitions(integer),
  audit_make_roles(text, text, text) FROM PUBLIC;
