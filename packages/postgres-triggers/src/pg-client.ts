import { AuditError } from '@indelible/core';

/** A connection of node-postgres (`pg.Client`, or what `pool.connect()` gives), by its form. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<unknown>;
}

export type Row = Readonly<Record<string, unknown>>;

/** @throws TypeError for what is no connection of node-postgres */
export async function rowsOf(
  client: PgClient,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const answer = await (values.length === 0 ? client.query(sql) : client.query(sql, [...values]));
  if (typeof answer === 'object' && answer !== null && 'rows' in answer && Array.isArray(answer.rows)) {
    return answer.rows;
  }
  throw new TypeError('[indelible/postgres-triggers] client: expected a connection of node-postgres');
}

/** Inside BEGIN and COMMIT; what is thrown rolls back. */
export async function inTransaction<T>(client: PgClient, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await work();
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // The first error is the one to tell.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** SQLSTATE, where the database has answered. */
export function sqlState(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** PostgreSQL cuts longer names without a word. */
const MAX_NAME_BYTES = 63;

/** @throws AuditError `AUDIT_CONFIG_INVALID` for what is no name in PostgreSQL */
export function quoteName(name: string): string {
  if (name === '' || name.includes('\0') || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new AuditError(
      'AUDIT_CONFIG_INVALID',
      'postgres-triggers',
      `${JSON.stringify(name)} is no name in PostgreSQL`,
    );
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** A literal that means the same whatever standard_conforming_strings says. */
export function quoteLiteral(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
