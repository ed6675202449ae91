import {
  AuditError,
  auditErrorCode,
  type EventColumns,
  type NewEntry,
  type SealedBatch,
  type SealOutcome,
  type SealRequest,
  type StoredEvent,
} from '@indelible/core';
import type { Connection } from './connection.js';
import { EVENT_SELECT, readBytes, readColumns, readHead, readNumber, readText } from './event-row.js';
import { runInShapes } from './run-in-shapes.js';
import { requireSchema } from './schema-version.js';

const IN_RANGE = 'FROM audit_pending WHERE log = ? AND id BETWEEN ? AND ?';
const WAITING = `FROM audit_pending AS p JOIN audit_event AS e ON e.id = p.id WHERE p.log = ?`;

/**
 * Seals one batch in one transaction, in one tick.
 *
 * @throws BusyError where the lock is taken; whatever `compute` throws; AuditError `AUDIT_INSERT_ONLY` for a batch that
 * would fork the log
 */
export function sealBatch(connection: Connection, request: SealRequest): SealOutcome {
  // A look before the lock: most calls of an idle process end here.
  if (connection.all('SELECT 1 FROM audit_pending WHERE log = ? LIMIT 1', [request.log]).length === 0) {
    return { sealed: 0, busy: false };
  }
  try {
    return connection.transaction(() => sealWaiting(connection, request, ''));
  } catch (error) {
    if (auditErrorCode(error) !== 'AUDIT_INSERT_ONLY') throw error;
  }
  // A pending row of a sealed event must not stop its log for ever: verification reports it, the sealer passes over it.
  return connection.transaction(() =>
    sealWaiting(
      connection,
      request,
      'AND NOT EXISTS (SELECT 1 FROM audit_entry AS n WHERE n.event_id = p.id)',
    ),
  );
}

function sealWaiting(connection: Connection, request: SealRequest, further: string): SealOutcome {
  requireSchema(connection);
  const { log } = request;
  const [headRow] = connection.all('SELECT log, size, hash, range, mac FROM audit_head WHERE log = ?', [log]);
  const waiting = connection
    .all(`SELECT e.id, e.log, e.body, e.leaf ${WAITING} ${further} ORDER BY p.id LIMIT ?`, [
      log,
      BigInt(request.limit),
    ])
    .map((row) => new WaitingEvent(connection, row));
  const batch = request.compute(headRow === undefined ? null : readHead(headRow), waiting);
  insertEntries(connection, log, batch.entries);
  removePending(connection, log, batch.entries, waiting);
  writeHead(connection, log, batch);
  const outcome = { sealed: batch.entries.length, busy: false };
  return batch.refused === undefined ? outcome : { ...outcome, refused: batch.refused };
}

/** An event as a sealer needs it: the columns, which it does not hash, are read only if somebody asks for them. */
class WaitingEvent implements StoredEvent {
  readonly id: string;
  readonly log: string;
  readonly body: Uint8Array;
  readonly leaf: Uint8Array;
  readonly #connection: Connection;

  constructor(connection: Connection, row: readonly unknown[]) {
    this.#connection = connection;
    this.id = readText(row[0]);
    this.log = readText(row[1]);
    this.body = readBytes(row[2]);
    this.leaf = readBytes(row[3]);
  }

  get columns(): EventColumns {
    const [row] = this.#connection.all(`SELECT ${EVENT_SELECT} FROM audit_event AS e WHERE e.id = ?`, [
      this.id,
    ]);
    return readColumns(row ?? [], 4);
  }
}

function insertEntries(connection: Connection, log: string, entries: readonly NewEntry[]): void {
  runInShapes(
    entries,
    (count) =>
      `INSERT INTO audit_entry (log, idx, event_id, leaf, hash, sealed_at) VALUES ${Array.from({ length: count }, () => '(?, ?, ?, ?, ?, ?)').join(', ')}`,
    (params, entry) => {
      params.push(log, BigInt(entry.index), entry.eventId, entry.leaf, entry.hash, entry.sealedAt);
    },
    connection,
  );
}

/** One range where the whole batch was sealed, which is the rule; else one by one. */
function removePending(
  connection: Connection,
  log: string,
  entries: readonly NewEntry[],
  waiting: readonly StoredEvent[],
): void {
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return;
  const whole =
    entries.length === waiting.length && entries.every((entry, at) => entry.eventId === waiting[at]?.id);
  if (whole) {
    // A stray row within the range stays for verification to find.
    const range = [log, first.eventId, last.eventId];
    const [row] = connection.all(`SELECT count(*) ${IN_RANGE}`, range);
    if (readNumber(row?.[0]) === entries.length) {
      connection.run(`DELETE ${IN_RANGE}`, range);
      return;
    }
  }
  for (const entry of entries) {
    connection.run('DELETE FROM audit_pending WHERE log = ? AND id = ?', [log, entry.eventId]);
  }
}

function writeHead(connection: Connection, log: string, { head }: SealedBatch): void {
  if (head === null) return;
  if (head.log !== log) {
    throw new AuditError('AUDIT_HEAD_INVALID', 'sqlite', `a seal of ${log} gave the head of ${head.log}`);
  }
  connection.run(
    `INSERT INTO audit_head (log, size, hash, range, mac) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (log) DO UPDATE SET size = excluded.size, hash = excluded.hash, range = excluded.range, mac = excluded.mac`,
    [log, BigInt(head.size), head.hash, head.range, head.mac],
  );
}
