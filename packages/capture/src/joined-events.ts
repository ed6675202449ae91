import { randomUUID } from 'node:crypto';
import { type AmbientContext, AuditError, type EventInput, tryGetContext } from '@indelible/core';
import type { CaptureTransaction } from './capture-transaction.js';

interface Waiting {
  readonly inputs: readonly EventInput[];
  readonly ambient: AmbientContext | undefined;
  ids?: readonly string[];
}

const waiting = new Map<string, Waiting>();
const MARKER = /^\/\* indelible:join ([0-9a-f-]{36}) \*\/ SELECT 1$/;

/**
 * Puts events into the transaction that `send` sends SQL on. The ORM's transaction object and the connection beneath it
 * do not know each other, so a marked statement goes the ORM's own way; the package that wraps the connection answers
 * it and it never reaches the database.
 *
 * @throws AuditError `AUDIT_TRANSACTION_UNKNOWN` where the statement came out somewhere else
 */
export async function joinThrough(
  where: string,
  inputs: readonly EventInput[],
  send: (sql: string) => Promise<unknown>,
): Promise<readonly string[]> {
  const token = randomUUID();
  const entry: Waiting = { inputs, ambient: tryGetContext() };
  waiting.set(token, entry);
  try {
    await send(`/* indelible:join ${token} */ SELECT 1`);
    if (entry.ids === undefined) {
      throw new AuditError(
        'AUDIT_TRANSACTION_UNKNOWN',
        where,
        'this transaction is not open on an audited client',
      );
    }
    return entry.ids;
  } finally {
    waiting.delete(token);
  }
}

/** @returns true if the statement was a mark, and its events are part of the transaction now */
export function takeJoin(sql: string, transaction: CaptureTransaction | undefined): boolean {
  if (!sql.startsWith('/* indelible:join ')) return false;
  const entry = waiting.get(MARKER.exec(sql)?.[1] ?? '');
  if (entry === undefined) return false;
  if (transaction !== undefined) entry.ids = transaction.join(entry.inputs, entry.ambient);
  return true;
}
