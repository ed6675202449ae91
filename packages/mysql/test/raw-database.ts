import type {
  GuardedStatement,
  GuardTarget,
  RawDatabase,
  RawSchema,
  RawSnapshot,
} from '@indelible/core/conformance';
import { bytes, nullable, type RawConnection, text, withRaw } from './raw-connection.js';

const GUARDS = [
  'audit_event_refuse_update',
  'audit_event_refuse_delete',
  'audit_entry_refuse_update',
  'audit_entry_refuse_delete',
  'audit_event_to_pending',
];

/** Reads and spoils the tables with SQL of its own, as their owner. */
export function createRawDatabase(url: string): RawDatabase {
  return {
    snapshot: () => withRaw(url, readSnapshot),
    insertPending: (log, id) =>
      pastGuards(url, 'INSERT INTO audit_pending (log, id) VALUES (?, ?)', [log, id]),
    deletePending: (log, id) =>
      pastGuards(url, 'DELETE FROM audit_pending WHERE log = ? AND id = ?', [log, id]),
    deleteEvent: (id) => pastGuards(url, 'DELETE FROM audit_event WHERE id = ?', [id]),
    setBody: (id, body) =>
      pastGuards(url, 'UPDATE audit_event SET body = ? WHERE id = ?', [Buffer.from(body), id]),
  };
}

/** Runs a statement with every trigger gone and foreign keys switched off, as an owner can, and puts the triggers back. */
export function pastGuards(url: string, sql: string, params: readonly unknown[] = []): Promise<void> {
  return withRaw(url, async (raw) => {
    const made: string[] = [];
    for (const guard of GUARDS) {
      const [row] = await raw.all(`SHOW CREATE TRIGGER ${guard}`);
      made.push(text(row?.['SQL Original Statement']));
      await raw.all(`DROP TRIGGER ${guard}`);
    }
    await raw.all('SET foreign_key_checks = 0');
    try {
      await raw.all(sql, params);
    } finally {
      for (const statement of made) await raw.all(statement);
    }
  });
}

async function readSnapshot(raw: RawConnection): Promise<RawSnapshot> {
  await raw.all('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await raw.all('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  const events = await raw.all('SELECT * FROM audit_event ORDER BY id');
  const pending = await raw.all('SELECT log, id FROM audit_pending ORDER BY log, id');
  const entries = await raw.all('SELECT * FROM audit_entry ORDER BY log, idx');
  const heads = await raw.all('SELECT * FROM audit_head ORDER BY log');
  const checkpoints = await raw.all('SELECT * FROM audit_checkpoint ORDER BY log, size');
  await raw.all('COMMIT');
  return {
    events: events.map((row) => ({
      id: text(row.id),
      log: text(row.log),
      body: bytes(row.body),
      leaf: bytes(row.leaf),
      columns: {
        time: text(row.time),
        action: text(row.action),
        category: text(row.category),
        outcome: text(row.outcome),
        actorType: text(row.actor_type),
        actorId: text(row.actor_id),
        resourceType: nullable(row.resource_type),
        resourceId: nullable(row.resource_id),
        tenant: nullable(row.tenant),
        requestId: nullable(row.request_id),
        transactionId: nullable(row.transaction_id),
        ip: nullable(row.ip),
      },
    })),
    pending: pending.map((row) => ({ log: text(row.log), id: text(row.id) })),
    entries: entries.map((row) => ({
      log: text(row.log),
      index: Number(row.idx),
      eventId: text(row.event_id),
      leaf: bytes(row.leaf),
      hash: bytes(row.hash),
      sealedAt: BigInt(text(row.sealed_at)),
    })),
    heads: heads.map((row) => ({
      log: text(row.log),
      size: Number(row.size),
      hash: bytes(row.hash),
      range: bytes(row.compact_range),
      mac: row.mac === null ? null : bytes(row.mac),
    })),
    checkpoints: checkpoints.map((row) => ({
      log: text(row.log),
      size: Number(row.size),
      note: bytes(row.note),
      range: bytes(row.compact_range),
      madeAt: BigInt(text(row.made_at)),
    })),
  };
}

export function createRawSchema(url: string): RawSchema {
  return {
    tables: () =>
      withRaw(url, async (raw) => {
        const rows = await raw.all(
          'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1',
        );
        return rows.map((row) => text(row.name));
      }),
    makeNewer: () =>
      withRaw(url, async (raw) => {
        await raw.all(
          'INSERT INTO audit_migration (version, id) SELECT MAX(version) + 1, UUID() FROM audit_migration',
        );
      }),
  };
}

const COPY =
  'SELECT id, log, body, leaf, time, action, category, outcome, actor_type, actor_id FROM audit_event';
const INTO = 'INTO audit_event (id, log, body, leaf, time, action, category, outcome, actor_type, actor_id)';

/** What the database must refuse, tried as the owner of the tables and of everything else. */
export function guardedStatements(url: string, target: GuardTarget): readonly GuardedStatement[] {
  const { log, eventId, index } = target;
  const attempt = (name: string, sql: string, params: readonly unknown[] = []): GuardedStatement => ({
    name,
    attempt: () => withRaw(url, (raw) => raw.all(sql, params)),
  });
  const entry = [log, index];
  return [
    attempt('update event', "UPDATE audit_event SET actor_id = 'mallory' WHERE id = ?", [eventId]),
    attempt('update event with what it holds', 'UPDATE audit_event SET actor_id = actor_id WHERE id = ?', [
      eventId,
    ]),
    attempt(
      'update event and pass over errors',
      "UPDATE IGNORE audit_event SET actor_id = 'm' WHERE id = ?",
      [eventId],
    ),
    attempt(
      'update event by upsert',
      `INSERT ${INTO} ${COPY} AS e WHERE e.id = ? ON DUPLICATE KEY UPDATE actor_id = 'mallory'`,
      [eventId],
    ),
    attempt('replace event', `REPLACE ${INTO} ${COPY} AS e WHERE e.id = ?`, [eventId]),
    attempt('delete event', 'DELETE FROM audit_event WHERE id = ?', [eventId]),
    attempt('delete event and pass over errors', 'DELETE IGNORE FROM audit_event WHERE id = ?', [eventId]),
    attempt(
      'delete event by join',
      'DELETE e FROM audit_event AS e JOIN audit_migration AS m ON m.version = 1 WHERE e.id = ?',
      [eventId],
    ),
    attempt('truncate event', 'TRUNCATE TABLE audit_event'),
    attempt('drop event', 'DROP TABLE audit_event'),
    attempt('update entry', 'UPDATE audit_entry SET sealed_at = 0 WHERE log = ? AND idx = ?', entry),
    attempt('delete entry', 'DELETE FROM audit_entry WHERE log = ? AND idx = ?', entry),
    attempt(
      'replace entry',
      'REPLACE INTO audit_entry SELECT log, idx, event_id, leaf, leaf, 0 FROM audit_entry WHERE log = ? AND idx = ?',
      entry,
    ),
    attempt('truncate entry', 'TRUNCATE TABLE audit_entry'),
    attempt('drop entry', 'DROP TABLE audit_entry'),
    attempt('update checkpoint', 'UPDATE audit_checkpoint SET made_at = 0 WHERE log = ? AND size = ?', entry),
    attempt('delete checkpoint', 'DELETE FROM audit_checkpoint WHERE log = ? AND size = ?', entry),
    attempt(
      'replace checkpoint',
      'REPLACE INTO audit_checkpoint SELECT log, size, note, compact_range, 0 FROM audit_checkpoint WHERE log = ? AND size = ?',
      entry,
    ),
    attempt('truncate checkpoint', 'TRUNCATE TABLE audit_checkpoint'),
    attempt('drop checkpoint', 'DROP TABLE audit_checkpoint'),
  ];
}
