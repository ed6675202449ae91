-- Indelible: the audit tables in MySQL and MariaDB, version 1.
-- Nothing here names a database: everything is made in the current one. Each statement ends at the end of a line, and none needs
-- another delimiter. All of it may be run again after it was interrupted.

CREATE TABLE IF NOT EXISTS audit_migration (
  version INT NOT NULL PRIMARY KEY,
  applied_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  -- That of version 1 names this database, whatever host, pool or user leads to it.
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Insert only. body is the event, leaf = SHA-256(0x00 || body); every other column is derived from body. Names of logs and ids are
-- ASCII; what else is derived is a text without a limit, because no event may be lost for a long one, and compared byte by byte.
-- What such a text is found by is its CRC-32: an index on it stays small, and keeps the order of the ids.
CREATE TABLE IF NOT EXISTS audit_event (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  log VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  body LONGBLOB NOT NULL,
  leaf VARBINARY(32) NOT NULL,
  time LONGTEXT NOT NULL,
  action LONGTEXT NOT NULL,
  category LONGTEXT NOT NULL,
  outcome LONGTEXT NOT NULL,
  actor_type LONGTEXT NOT NULL,
  actor_id LONGTEXT NOT NULL,
  resource_type LONGTEXT,
  resource_id LONGTEXT,
  tenant LONGTEXT,
  request_id LONGTEXT,
  transaction_id LONGTEXT,
  ip LONGTEXT,
  action_crc INT UNSIGNED GENERATED ALWAYS AS (CRC32(action)) STORED,
  actor_crc INT UNSIGNED GENERATED ALWAYS AS (CRC32(actor_id)) STORED,
  type_crc INT UNSIGNED GENERATED ALWAYS AS (CRC32(resource_type)) STORED,
  resource_crc INT UNSIGNED GENERATED ALWAYS AS (CRC32(resource_id)) STORED,
  request_crc INT UNSIGNED GENERATED ALWAYS AS (CRC32(request_id)) STORED,
  -- The counts and the newest events of one log.
  KEY audit_event_log (log, id),
  -- The history of one row.
  KEY audit_event_resource (type_crc, resource_crc, id),
  -- What one actor did.
  KEY audit_event_actor (actor_crc, id),
  -- Rare actions among many events: failed logins, exports.
  KEY audit_event_action (action_crc, id),
  -- What one request did.
  KEY audit_event_request (request_crc, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The events that wait for the sealer.
CREATE TABLE IF NOT EXISTS audit_pending (
  log VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (log, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Events of an application whose log is in another database, until the relay has brought them there: a queue as above. A leaf is
-- of one event only, so what a retry writes again is the same row.
CREATE TABLE IF NOT EXISTS audit_outbox (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  leaf VARBINARY(32) NOT NULL,
  body LONGBLOB NOT NULL,
  PRIMARY KEY (id, leaf)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Insert only. sealed_at is microseconds since 1970-01-01 UTC.
CREATE TABLE IF NOT EXISTS audit_entry (
  log VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  idx BIGINT NOT NULL,
  event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  leaf VARBINARY(32) NOT NULL,
  hash VARBINARY(32) NOT NULL,
  sealed_at BIGINT NOT NULL,
  PRIMARY KEY (log, idx),
  UNIQUE KEY audit_entry_event (event_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Insert only. note is a signed checkpoint of the log at this size, compact_range that of the tree there.
CREATE TABLE IF NOT EXISTS audit_checkpoint (
  log VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  size BIGINT NOT NULL,
  note LONGBLOB NOT NULL,
  compact_range VARBINARY(2048) NOT NULL,
  made_at BIGINT NOT NULL,
  PRIMARY KEY (log, size)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- One row a log, locked by each seal and rewritten by it. compact_range is that of the tree.
CREATE TABLE IF NOT EXISTS audit_head (
  log VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  hash VARBINARY(32) NOT NULL,
  compact_range VARBINARY(2048) NOT NULL,
  mac VARBINARY(32)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Always empty. No trigger sees a TRUNCATE, but the database refuses to truncate, or drop, what a foreign key points at.
CREATE TABLE IF NOT EXISTS audit_guard (
  event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  entry_event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  checkpoint_log VARCHAR(512) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  checkpoint_size BIGINT NOT NULL,
  CONSTRAINT audit_guard_event FOREIGN KEY (event_id) REFERENCES audit_event (id),
  CONSTRAINT audit_guard_entry FOREIGN KEY (entry_event_id) REFERENCES audit_entry (event_id),
  CONSTRAINT audit_guard_checkpoint FOREIGN KEY (checkpoint_log, checkpoint_size) REFERENCES audit_checkpoint (log, size)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

-- Every writer needs rights on audit_event only, and no event is ever neither pending nor an entry.
DROP TRIGGER IF EXISTS audit_event_to_pending;
CREATE TRIGGER audit_event_to_pending AFTER INSERT ON audit_event FOR EACH ROW
  INSERT INTO audit_pending (log, id) VALUES (NEW.log, NEW.id);

-- REPLACE and ON DUPLICATE KEY UPDATE run into these too.
DROP TRIGGER IF EXISTS audit_event_refuse_update;
CREATE TRIGGER audit_event_refuse_update BEFORE UPDATE ON audit_event FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,
    MESSAGE_TEXT = 'indelible: audit_event is insert-only: UPDATE is refused. Verification finds who switches this off.';

DROP TRIGGER IF EXISTS audit_event_refuse_delete;
CREATE TRIGGER audit_event_refuse_delete BEFORE DELETE ON audit_event FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,
    MESSAGE_TEXT = 'indelible: audit_event is insert-only: DELETE is refused. Verification finds who switches this off.';

DROP TRIGGER IF EXISTS audit_entry_refuse_update;
CREATE TRIGGER audit_entry_refuse_update BEFORE UPDATE ON audit_entry FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,
    MESSAGE_TEXT = 'indelible: audit_entry is insert-only: UPDATE is refused. Verification finds who switches this off.';

DROP TRIGGER IF EXISTS audit_entry_refuse_delete;
CREATE TRIGGER audit_entry_refuse_delete BEFORE DELETE ON audit_entry FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,
    MESSAGE_TEXT = 'indelible: audit_entry is insert-only: DELETE is refused. Verification finds who switches this off.';

DROP TRIGGER IF EXISTS audit_checkpoint_refuse_update;
CREATE TRIGGER audit_checkpoint_refuse_update BEFORE UPDATE ON audit_checkpoint FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,
    MESSAGE_TEXT = 'indelible: audit_checkpoint is insert-only: UPDATE is refused. Verification finds who switches this off.';

DROP TRIGGER IF EXISTS audit_checkpoint_refuse_delete;
CREATE TRIGGER audit_checkpoint_refuse_delete BEFORE DELETE ON audit_checkpoint FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,
    MESSAGE_TEXT = 'indelible: audit_checkpoint is insert-only: DELETE is refused. Verification finds who switches this off.';

DROP TRIGGER IF EXISTS audit_outbox_refuse_update;
CREATE TRIGGER audit_outbox_refuse_update BEFORE UPDATE ON audit_outbox FOR EACH ROW
  SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 31001,
    MESSAGE_TEXT = 'indelible: audit_outbox is insert-only but for the relay: UPDATE is refused.';

-- 1 if this event is stored with this leaf, 0 if with another, NULL if it is not: how a writer, who may not read, tells a retry
-- from a conflict. The lock makes it see what was committed since the caller's transaction began.
DROP FUNCTION IF EXISTS audit_event_is_stored;
CREATE FUNCTION audit_event_is_stored(event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin, event_leaf VARBINARY(32))
  RETURNS TINYINT READS SQL DATA SQL SECURITY DEFINER
  RETURN (SELECT e.leaf = event_leaf FROM audit_event AS e WHERE e.id = event_id LOCK IN SHARE MODE);

-- The same of the outbox: 1, or NULL.
DROP FUNCTION IF EXISTS audit_outbox_is_stored;
CREATE FUNCTION audit_outbox_is_stored(event_id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin, event_leaf VARBINARY(32))
  RETURNS TINYINT READS SQL DATA SQL SECURITY DEFINER
  RETURN (SELECT 1 FROM audit_outbox AS o WHERE o.id = event_id AND o.leaf = event_leaf LOCK IN SHARE MODE);

-- In a function DATABASE() is that of the function, whichever one the caller uses.
DROP FUNCTION IF EXISTS audit_database;
CREATE FUNCTION audit_database() RETURNS VARCHAR(160) CHARACTER SET utf8mb4
  READS SQL DATA SQL SECURITY DEFINER
  RETURN (SELECT CONCAT('mysql:', m.id, ':', DATABASE()) FROM audit_migration AS m WHERE m.version = 1);
