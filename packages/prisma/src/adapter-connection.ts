import type { CaptureConnection, SqlValue } from '@indelible/capture';
import type { SqlQuery, SqlQueryable } from './driver-adapter.js';

/** The engine's view of a Prisma adapter or transaction. */
export function createAdapterConnection(queryable: SqlQueryable): CaptureConnection {
  return {
    query: async (sql, params = []) => (await queryable.queryRaw(toQuery(sql, params))).rows,
    execute: (sql, params = []) => queryable.executeRaw(toQuery(sql, params)),
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
