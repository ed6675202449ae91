import { AuditError, type PreparedEvent, type TransactionalAppend } from '@indelible/core';
import { captureFailure } from './capture-failure.js';
import type { CaptureConnection } from './dialect.js';
import type { EngineParts } from './engine-parts.js';

/**
 * Writes events on the caller's connection, and makes sure that they stand there: a trigger or a rule of somebody else
 * can pass over a row without an error.
 *
 * @throws AuditError `AUDIT_CAPTURE_FAILED` where the database took fewer events than it was given
 */
export async function writeEvents(
  connection: CaptureConnection,
  store: TransactionalAppend,
  events: readonly PreparedEvent[],
  isFresh: boolean,
): Promise<void> {
  const wanted = new Set(events.map(({ id }) => id)).size;
  let stored = 0;
  for (const { sql, params } of store.statements(events, { isFresh })) {
    stored += await connection.execute(sql, params);
  }
  // What stands there from an earlier try is passed over, and only then the rows have to be looked for.
  if (stored !== wanted && !isFresh && store.countStored !== undefined) {
    const { sql, params } = store.countStored(events);
    const [row] = await connection.query(sql, params);
    stored = Number(row?.[0]);
  }
  if (stored === wanted) return;
  throw new AuditError(
    'AUDIT_CAPTURE_FAILED',
    'capture',
    `the database took ${stored} of ${wanted} events and dropped the others: look at the triggers and rules of audit_event`,
  );
}

/** Where they could not be written into the transaction: they go whatever way the policy names. */
export function deliverLater(parts: EngineParts, events: readonly PreparedEvent[]): void {
  parts
    .audit()
    .deliver(events)
    .catch((error: unknown) => parts.audit().reportError(captureFailure(parts, error)));
}
