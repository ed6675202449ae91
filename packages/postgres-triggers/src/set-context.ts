import { type AmbientContext, type Audit, AuditError, createUuidV7, getAudit } from '@indelible/core';
import { type PgClient, quoteLiteral, rowsOf } from './pg-client.js';

/** The setting that the triggers read. */
export const CONTEXT_SETTING = 'indelible.context';

export interface ContextOptions {
  /** @default the process's default audit */
  readonly audit?: Audit;
  /** @default the context that is in force */
  readonly context?: AmbientContext;
}

/**
 * Tells the triggers who acts, until the transaction that is open on the connection ends. One round trip.
 *
 * @param context who acts. @default the context that is in force (`auditContext()`, `runWithContext()`)
 * @returns the id of the operation, which its events carry
 * @throws AuditError `AUDIT_TRANSACTION_UNKNOWN` where no transaction is open: nothing would hold what is told
 * @example
 * await client.query('BEGIN');
 * await setContext(client, { actor: { type: 'user', id: 'ada' } });
 * await client.query('UPDATE orders SET paid = true WHERE id = $1', [7]);
 * await client.query('COMMIT');
 */
export async function setContext(
  client: PgClient,
  context?: AmbientContext,
  { audit = getAudit() }: Pick<ContextOptions, 'audit'> = {},
): Promise<string> {
  const id = createUuidV7();
  const { text, log } = await audit.describeOperation(id, context);
  // Without parameters, because the messages of a statement that has some have each a time of their own.
  const [row] = await rowsOf(
    client,
    `SELECT pg_catalog.set_config('${CONTEXT_SETTING}', ${quoteLiteral(text)}, true) AS context,
      pg_catalog.statement_timestamp() <> pg_catalog.transaction_timestamp() AS "isInside"`,
  );
  // A transaction that began before this statement is open. Otherwise only a look tells whether anything is left.
  if (row?.isInside !== true && !(await isKept(client, text))) {
    throw new AuditError(
      'AUDIT_TRANSACTION_UNKNOWN',
      'postgres-triggers',
      'no transaction is open on this connection, so nothing holds the context',
      { next: 'Call it between BEGIN and COMMIT, or use withAuditContext(client, fn).' },
    );
  }
  audit.operationCommitted(log);
  return id;
}

/**
 * Runs `work` in a transaction of its own in which the triggers know who acts. It takes no round trip more than BEGIN and
 * COMMIT. What `work` throws rolls back.
 *
 * @param client on which no transaction is open
 * @example
 * await withAuditContext(client, () => client.query('DELETE FROM orders WHERE id = $1', [7]));
 */
export async function withAuditContext<C extends PgClient, T>(
  client: C,
  work: (client: C) => Promise<T>,
  { audit = getAudit(), context }: ContextOptions = {},
): Promise<T> {
  const { text, log } = await audit.describeOperation(createUuidV7(), context);
  await client.query(
    `BEGIN; SELECT pg_catalog.set_config('${CONTEXT_SETTING}', ${quoteLiteral(text)}, true)`,
  );
  try {
    const result = await work(client);
    await client.query('COMMIT');
    audit.operationCommitted(log);
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function isKept(client: PgClient, text: string): Promise<boolean> {
  const [row] = await rowsOf(
    client,
    `SELECT pg_catalog.current_setting('${CONTEXT_SETTING}', true) = $1 AS "isKept"`,
    [text],
  );
  return row?.isKept === true;
}
