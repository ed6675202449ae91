import type {
  GuardedStatement,
  GuardTarget,
  RawDatabase,
  RawSchema,
  RawSnapshot,
} from '@indelible/core/conformance';
import { bytes, nullable, type RawConnection, text, withRaw } from './raw-connection.js';

/** Reads and spoils the tables with SQL of its own, as their owner. */
export function createRawDatabase(url: string): RawDatabase {
  return {
    snapshot: () => withRaw(url, readSnapshot),
    insertPending: (log, id) =>
      pastGuards(url, 'INSERT INTO audit.audit_pending (log, id) VALUES ($1, $2)', [log, id]),
    deletePending: (log, id) =>
      pastGuards(url, 'DELETE FROM audit.audit_pending WHERE log = $1 AND id = $2', [log, id]),
    deleteEvent: (id) => pastGuards(url, 'DELETE FROM audit.audit_event WHERE id = $1', [id]),
    setBody: (id, body) =>
      pastGuards(url, 'UPDATE audit.audit_event SET body = $1 WHERE id = $2', [Buffer.from(body), id]),
  };
}

/** Runs a statement with every trigger switched off, as an owner can. */
export function pastGuards(url: string, sql: string, params: readonly unknown[] = []): Promise<void> {
  return withRaw(url, async (raw) => {
    const tables = ['audit_event', 'audit_entry'];
    await raw.all('BEGIN');
    for (const table of tables) await raw.all(`ALTER TABLE audit.${table} DISABLE TRIGGER ALL`);
    await raw.all(sql, params);
    for (const table of tables)
      await raw.all(`ALTER TABLE audit.${table} ENABLE ALWAYS TRIGGER audit_refuse`);
    await raw.all('ALTER TABLE audit.audit_event ENABLE ALWAYS TRIGGER audit_event_to_pending');
    await raw.all('COMMIT');
  });
}

async function readSnapshot(raw: RawConnection): Promise<RawSnapshot> {
  await raw.all('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const events = await raw.all('SELECT * FROM audit.audit_event ORDER BY id');
  const pending = await raw.all('SELECT log, id FROM audit.audit_pending ORDER BY log, id');
  const entries = await raw.all('SELECT * FROM audit.audit_entry ORDER BY log, idx');
  const heads = await raw.all('SELECT * FROM audit.audit_head ORDER BY log');
  const checkpoints = await raw.all('SELECT * FROM audit.audit_checkpoint ORDER BY log, size');
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
      range: bytes(row.range),
      mac: row.mac === null ? null : bytes(row.mac),
    })),
    checkpoints: checkpoints.map((row) => ({
      log: text(row.log),
      size: Number(row.size),
      note: bytes(row.note),
      range: bytes(row.range),
      madeAt: BigInt(text(row.made_at)),
    })),
  };
}

export function createRawSchema(url: string): RawSchema {
  return {
    tables: () =>
      withRaw(url, async (raw) => {
        const rows = await raw.all(
          `SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
        );
        return rows.map((row) => text(row.name));
      }),
    makeNewer: () =>
      withRaw(url, async (raw) => {
        await raw.all(
          'INSERT INTO audit.audit_migration (version) SELECT max(version) + 1 FROM audit.audit_migration',
        );
      }),
  };
}

/** What the database must refuse, tried as the owner of the tables and superuser. */
export function guardedStatements(url: string, target: GuardTarget): readonly GuardedStatement[] {
  const { log, eventId, index } = target;
  const attempt = (name: string, sql: string, params: readonly unknown[] = []): GuardedStatement => ({
    name,
    attempt: () => withRaw(url, (raw) => raw.all(sql, params)),
  });
  const entry = [log, index];
  return [
    attempt('update event', 'UPDATE audit.audit_event SET actor_id = $2 WHERE id = $1', [eventId, 'mallory']),
    attempt(
      'update event in its partition',
      'UPDATE audit.audit_event_default SET actor_id = $2 WHERE id = $1',
      [eventId, 'mallory'],
    ),
    attempt('update event of no rows', 'UPDATE audit.audit_event SET actor_id = actor_id WHERE false'),
    attempt(
      'update event by upsert',
      `INSERT INTO audit.audit_event SELECT * FROM audit.audit_event WHERE id = $1
        ON CONFLICT (id) DO UPDATE SET actor_id = 'mallory'`,
      [eventId],
    ),
    attempt(
      'update event by merge',
      `MERGE INTO audit.audit_event AS e USING (SELECT $1::uuid AS id) AS g ON e.id = g.id
        WHEN MATCHED THEN UPDATE SET actor_id = 'mallory'`,
      [eventId],
    ),
    attempt('delete event', 'DELETE FROM audit.audit_event WHERE id = $1', [eventId]),
    attempt('delete event in its partition', 'DELETE FROM audit.audit_event_default WHERE id = $1', [
      eventId,
    ]),
    attempt('truncate event', 'TRUNCATE audit.audit_event'),
    attempt("truncate event's partition", 'TRUNCATE audit.audit_event_default'),
    attempt(
      'truncate event with triggers off',
      'SET session_replication_role = replica; TRUNCATE audit.audit_event',
    ),
    attempt(
      'delete event with triggers off',
      'SET session_replication_role = replica; DELETE FROM audit.audit_event_default',
    ),
    attempt('update entry', 'UPDATE audit.audit_entry SET sealed_at = 0 WHERE log = $1 AND idx = $2', entry),
    attempt('delete entry', 'DELETE FROM audit.audit_entry WHERE log = $1 AND idx = $2', entry),
    attempt('truncate entry', 'TRUNCATE audit.audit_entry'),
    attempt(
      'truncate entry with triggers off',
      'SET session_replication_role = replica; TRUNCATE audit.audit_entry',
    ),
    attempt(
      'update checkpoint',
      'UPDATE audit.audit_checkpoint SET made_at = 0 WHERE log = $1 AND size = $2',
      entry,
    ),
    attempt('delete checkpoint', 'DELETE FROM audit.audit_checkpoint WHERE log = $1 AND size = $2', entry),
    attempt('truncate checkpoint', 'TRUNCATE audit.audit_checkpoint'),
    attempt(
      'truncate checkpoint with triggers off',
      'SET session_replication_role = replica; TRUNCATE audit.audit_checkpoint',
    ),
  ];
}
