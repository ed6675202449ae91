import {
  AuditError,
  auditErrorCode,
  type NewEntry,
  type PendingEvent,
  type SealedBatch,
  type SealOutcome,
  type SealRequest,
} from '@indelible/core';
import type { Connection } from './connection.js';
import { readBytes, readHead, readNumber, readText } from './event-row.js';
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
    .map(
      (row): PendingEvent => ({
        id: readText(row[0]),
        log: readText(row[1]),
        body: readBytes(row[2]),
        leaf: readBytes(row[3]),
      }),
    );
  const batch = request.compute(headRow === undefined ? null : readHead(headRow), waiting);
  insertEntries(connection, log, batch.entries);
  removePending(connection, log, batch.entries, waiting);
  writeHead(connection, log, batch);
  const outcome = { sealed: batch.entries.length, busy: false };
  return batch.refused === undefined ? outcome : { ...outcome, refused: batch.refused };
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
  waiting: readonly PendingEvent[],
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
