import type {
  GuardedStatement,
  GuardTarget,
  RawDatabase,
  RawSchema,
  RawSnapshot,
} from '@indelible/core/conformance';
import type { RawConnection } from './raw-connection.js';

/** Reads and spoils the tables with SQL of its own. Each call has its own connection: the file may not be there before. */
export function createRawDatabase(withConnection: <T>(work: (raw: RawConnection) => T) => T): RawDatabase {
  const pastGuards = async (table: string, work: (raw: RawConnection) => void) =>
    withConnection((raw) => {
      const triggers = raw.all(
        `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '${table}'`,
      );
      raw.exec('BEGIN IMMEDIATE');
      for (const { name } of triggers) raw.exec(`DROP TRIGGER "${String(name)}"`);
      work(raw);
      for (const { sql } of triggers) raw.exec(String(sql));
      raw.exec('COMMIT');
    });
  return {
    snapshot: async () => withConnection(readSnapshot),
    insertPending: (log, id) =>
      pastGuards('audit_pending', (raw) =>
        raw.run('INSERT INTO audit_pending (log, id) VALUES (?, ?)', [log, id]),
      ),
    deletePending: (log, id) =>
      pastGuards('audit_pending', (raw) =>
        raw.run('DELETE FROM audit_pending WHERE log = ? AND id = ?', [log, id]),
      ),
    deleteEvent: (id) =>
      pastGuards('audit_event', (raw) => raw.run('DELETE FROM audit_event WHERE id = ?', [id])),
    setBody: (id, body) =>
      pastGuards('audit_event', (raw) => raw.run('UPDATE audit_event SET body = ? WHERE id = ?', [body, id])),
  };
}

function readSnapshot(raw: RawConnection): RawSnapshot {
  raw.exec('BEGIN');
  try {
    return {
      events: raw.all('SELECT * FROM audit_event ORDER BY id').map((row) => ({
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
      pending: raw
        .all('SELECT log, id FROM audit_pending ORDER BY log, id')
        .map((row) => ({ log: text(row.log), id: text(row.id) })),
      entries: raw.all('SELECT * FROM audit_entry ORDER BY log, idx').map((row) => ({
        log: text(row.log),
        index: Number(row.idx),
        eventId: text(row.event_id),
        leaf: bytes(row.leaf),
        hash: bytes(row.hash),
        sealedAt: BigInt(String(row.sealed_at)),
      })),
      heads: raw.all('SELECT * FROM audit_head ORDER BY log').map((row) => ({
        log: text(row.log),
        size: Number(row.size),
        hash: bytes(row.hash),
        range: bytes(row.range),
        mac: row.mac === null ? null : bytes(row.mac),
      })),
      checkpoints: raw.all('SELECT * FROM audit_checkpoint ORDER BY log, size').map((row) => ({
        log: text(row.log),
        size: Number(row.size),
        note: bytes(row.note),
        range: bytes(row.range),
        madeAt: BigInt(String(row.made_at)),
      })),
    };
  } finally {
    raw.exec('COMMIT');
  }
}

export function createRawSchema(withConnection: <T>(work: (raw: RawConnection) => T) => T): RawSchema {
  return {
    tables: async () =>
      withConnection((raw) =>
        raw
          .all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
          .map((row) => text(row.name)),
      ),
    makeNewer: async () =>
      withConnection((raw) =>
        raw.run(
          'INSERT INTO audit_migration (version, applied_at) SELECT max(version) + 1, ? FROM audit_migration',
          [new Date().toISOString()],
        ),
      ),
  };
}

/** Every way that SQLite has to change or take away a row. */
export function guardedStatements(
  { log, eventId, index }: GuardTarget,
  withConnection: <T>(work: (raw: RawConnection) => T) => T,
): GuardedStatement[] {
  const event = `SELECT * FROM audit_event WHERE id = '${eventId}'`;
  const eventColumns = 'log, body, leaf, time, action, category, outcome, actor_type, actor_id';
  const copy = `SELECT 'x', ${eventColumns} FROM audit_event WHERE id = '${eventId}'`;
  const statements: Record<string, string> = {
    'update event': `UPDATE audit_event SET body = x'7b7d' WHERE id = '${eventId}'`,
    'update event column': `UPDATE audit_event SET actor_id = 'grace' WHERE id = '${eventId}'`,
    'update or replace event': `UPDATE OR REPLACE audit_event SET id = '${eventId}'`,
    'update or ignore event': `UPDATE OR IGNORE audit_event SET actor_id = 'grace'`,
    'delete event': `DELETE FROM audit_event WHERE id = '${eventId}'`,
    'delete all of event': 'DELETE FROM audit_event',
    'replace event': `REPLACE INTO audit_event ${event}`,
    'insert or replace event': `INSERT OR REPLACE INTO audit_event ${event}`,
    'insert or ignore event': `INSERT OR IGNORE INTO audit_event ${event}`,
    'upsert event': `INSERT INTO audit_event ${event} AND true ON CONFLICT (id) DO UPDATE SET body = x'7b7d'`,
    'update entry': `UPDATE audit_entry SET leaf = zeroblob(32) WHERE log = '${log}' AND idx = ${index}`,
    'update or replace entry': `UPDATE OR REPLACE audit_entry SET idx = ${index}`,
    'delete entry': `DELETE FROM audit_entry WHERE log = '${log}' AND idx = ${index}`,
    'delete all of entry': 'DELETE FROM audit_entry',
    'replace entry by index': `REPLACE INTO audit_entry VALUES ('${log}', ${index}, 'another', zeroblob(32), zeroblob(32), 0)`,
    'replace entry by its unique id': `REPLACE INTO audit_entry VALUES ('${log}', 99, '${eventId}', zeroblob(32), zeroblob(32), 0)`,
    'upsert entry': `INSERT INTO audit_entry VALUES ('${log}', ${index}, '${eventId}', zeroblob(32), zeroblob(32), 0)
      ON CONFLICT DO UPDATE SET leaf = zeroblob(32)`,
    'update checkpoint': `UPDATE audit_checkpoint SET note = x'00' WHERE log = '${log}' AND size = ${index}`,
    'delete checkpoint': `DELETE FROM audit_checkpoint WHERE log = '${log}' AND size = ${index}`,
    'replace checkpoint': `REPLACE INTO audit_checkpoint VALUES ('${log}', ${index}, x'00', x'', 0)`,
    'upsert checkpoint': `INSERT INTO audit_checkpoint VALUES ('${log}', ${index}, x'00', x'', 0)
      ON CONFLICT DO UPDATE SET note = x'00'`,
    'update event by rowid': `UPDATE audit_event SET body = x'7b7d' WHERE rowid = 1`,
    'insert event by rowid': `INSERT OR REPLACE INTO audit_event (rowid, id, ${eventColumns}) SELECT 1, * FROM (${copy})`,
    'update entry by rowid': `UPDATE audit_entry SET leaf = zeroblob(32) WHERE rowid = 1`,
  };
  return Object.entries(statements).map(([name, sql]) => ({
    name,
    attempt: async () => withConnection((raw) => raw.exec(sql)),
  }));
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`expected text, got ${typeof value}`);
  return value;
}

function nullable(value: unknown): string | null {
  return value === null ? null : text(value);
}

export function bytes(value: unknown): Uint8Array {
  // libsql gives a blob as an ArrayBuffer where rows are objects, and as a Buffer where they are arrays.
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!(value instanceof Uint8Array)) throw new Error(`expected bytes, got ${typeof value}`);
  return value;
}
