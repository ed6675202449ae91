import type { CaptureConnection, HoldingClient, SqlValue } from '@indelible/capture';
import type { SqlQuery, SqlQueryable } from './driver-adapter.js';

/**
 * The engine's view of a Prisma adapter or transaction.
 * @param holding what its statements go through, where some can be held back
 */
export function createAdapterConnection(queryable: SqlQueryable, holding?: HoldingClient): CaptureConnection {
  const execute: CaptureConnection['execute'] = (sql, params = []) =>
    queryable.executeRaw(toQuery(sql, params));
  const query: CaptureConnection['query'] = async (sql, params = []) =>
    (await queryable.queryRaw(toQuery(sql, params))).rows;
  if (holding === undefined) return { query, execute };
  return {
    query,
    execute,
    hold: (sql, params) => holding.hold(sql, params),
    ahead: (sql, params) => holding.ahead(sql, () => query(sql, params)),
    tell: (sql, params) => holding.tell(sql, params),
    behind: (sql, params) => holding.behind(sql, () => query(sql, params)),
    committing: (sql, params) => holding.committing(sql, params),
  };
}

function toQuery(sql: string, params: readonly SqlValue[]): SqlQuery {
  return { sql, args: params.map(toArgument), argTypes: params.map(toArgumentType) };
}

function toArgument(value: SqlValue): unknown {
  // libsql takes a Buffer and would refuse another view of bytes.
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;
}

function toArgumentType(value: SqlValue): unknown {
  return { scalarType: scalarType(value), arity: 'scalar' };
}

function scalarType(value: SqlValue): string {
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'bigint') return 'bigint';
  return value === null ? 'unknown' : Number.isInteger(value) ? 'int' : 'float';
}
