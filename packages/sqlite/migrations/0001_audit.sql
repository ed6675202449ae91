-- Indelible: the audit tables in SQLite, version 1.
-- WITHOUT ROWID: an INSERT on the application's own connection leaves last_insert_rowid() as it was, and there is no
-- rowid to collide with. STRICT: a body is bytes and nothing else.

CREATE TABLE audit_migration (
  version INTEGER NOT NULL PRIMARY KEY,
  applied_at TEXT NOT NULL
) STRICT;

-- Insert only. body is the event, leaf = SHA-256(0x00 || body); every other column is derived from body.
CREATE TABLE audit_event (
  id TEXT NOT NULL PRIMARY KEY,
  log TEXT NOT NULL,
  body BLOB NOT NULL,
  leaf BLOB NOT NULL,
  time TEXT NOT NULL,
  action TEXT NOT NULL,
  category TEXT NOT NULL,
  outcome TEXT NOT NULL,
  actor_type TEXT NOT NULL,
  actor_id TEXT NOT NULL,
  resource_type TEXT,
  resource_id TEXT,
  tenant TEXT,
  request_id TEXT,
  transaction_id TEXT,
  ip TEXT
) STRICT, WITHOUT ROWID;

-- Each of these ends with the primary key, so that a list in the order of ids needs no sorting.
-- The counts and the newest events of one log.
CREATE INDEX audit_event_log ON audit_event (log);
-- The history of one row.
CREATE INDEX audit_event_resource ON audit_event (resource_type, resource_id) WHERE resource_type IS NOT NULL;
-- What one actor did.
CREATE INDEX audit_event_actor ON audit_event (actor_id);
-- Rare actions among many events: failed logins, exports.
CREATE INDEX audit_event_action ON audit_event (action);
-- What one request did.
CREATE INDEX audit_event_request ON audit_event (request_id) WHERE request_id IS NOT NULL;

-- The events that wait for the sealer.
CREATE TABLE audit_pending (
  log TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (log, id)
) STRICT, WITHOUT ROWID;

-- Events of an application whose log is in another database, until the relay has brought them there. The leaf is the hash of
-- the body: a retry of the same event is the same row.
CREATE TABLE audit_outbox (
  id TEXT NOT NULL,
  leaf BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (id, leaf)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_outbox_no_update BEFORE UPDATE ON audit_outbox
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_outbox is insert-only but for the relay: UPDATE is refused');
END;

-- Insert only. sealed_at is microseconds since 1970-01-01 UTC.
CREATE TABLE audit_entry (
  log TEXT NOT NULL,
  idx INTEGER NOT NULL,
  event_id TEXT NOT NULL UNIQUE,
  leaf BLOB NOT NULL,
  hash BLOB NOT NULL,
  sealed_at INTEGER NOT NULL,
  PRIMARY KEY (log, idx)
) STRICT, WITHOUT ROWID;

-- Insert only. note is a signed checkpoint of the log at this size, range the compact range of the tree there.
CREATE TABLE audit_checkpoint (
  log TEXT NOT NULL,
  size INTEGER NOT NULL,
  note BLOB NOT NULL,
  range BLOB NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (log, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_head (
  log TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  hash BLOB NOT NULL,
  range BLOB NOT NULL,
  mac BLOB
) STRICT, WITHOUT ROWID;

-- Every writer needs rights on audit_event only, and no event is ever neither pending nor an entry.
CREATE TRIGGER audit_event_to_pending AFTER INSERT ON audit_event
BEGIN
  INSERT INTO audit_pending (log, id) VALUES (NEW.log, NEW.id);
END;

-- REPLACE deletes the old row without firing delete triggers (unless recursive_triggers is on), so the insertion is refused.
CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_event is insert-only: an event with this id is stored already');
END;

CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_event is insert-only: UPDATE is refused');
END;

CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_event is insert-only: DELETE is refused');
END;

CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry
WHEN EXISTS (SELECT 1 FROM audit_entry WHERE log = NEW.log AND idx = NEW.idx)
  OR EXISTS (SELECT 1 FROM audit_entry WHERE event_id = NEW.event_id)
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_entry is insert-only: this index or this event has an entry already');
END;

CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_entry is insert-only: UPDATE is refused');
END;

CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_entry is insert-only: DELETE is refused');
END;

CREATE TRIGGER audit_checkpoint_no_replace BEFORE INSERT ON audit_checkpoint
WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE log = NEW.log AND size = NEW.size)
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_checkpoint is insert-only: this size has a checkpoint already');
END;

CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_checkpoint is insert-only: UPDATE is refused');
END;

CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
BEGIN
  SELECT RAISE(ABORT, 'indelible: audit_checkpoint is insert-only: DELETE is refused');
END;
