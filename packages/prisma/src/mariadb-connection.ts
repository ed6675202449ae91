import type { CaptureConnection, SqlValue } from '@indelible/capture';
import { createAdapterConnection } from './adapter-connection.js';
import type { SqlQueryable } from './driver-adapter.js';

/** A text with more values than that would come near the packets of an old server, because hexadecimal doubles them. */
const MAX_BYTES = 64 * 1024;

/**
 * The engine's view of `@prisma/adapter-mariadb` or a transaction of it. The adapter prepares, runs and closes each statement, which
 * are three messages and twice the work; what the engine sends itself goes as one text where it has no values, or those of a
 * small INSERT. MUST be called before anybody else takes the place of the queryable's `performIO`.
 */
export function createMariadbConnection(queryable: SqlQueryable): CaptureConnection {
  const prepared = createAdapterConnection(queryable);
  const texts = trySendTexts(queryable);
  if (texts === undefined) return prepared;
  const plain = createAdapterConnection(texts);
  return {
    query: (sql, params = []) => (params.length === 0 ? plain.query(sql) : prepared.query(sql, params)),
    execute: (sql, params = []) => {
      const whole = params.length === 0 ? sql : tryPutIn(sql, params);
      return whole === undefined ? prepared.execute(sql, params) : plain.execute(whole);
    },
  };
}

/** The same queryable with the adapter's own option for texts. @returns undefined where its parts are not in their places */
function trySendTexts(queryable: SqlQueryable): SqlQueryable | undefined {
  const client: unknown = Reflect.get(queryable, 'client');
  const perform: unknown = Reflect.get(queryable, 'performIO');
  if (typeof client !== 'object' || client === null || !('query' in client) || typeof perform !== 'function')
    return undefined;
  const options: unknown = Reflect.get(queryable, 'mariadbOptions');
  return Object.create(queryable, {
    mariadbOptions: { value: { ...Object(options), useTextProtocol: true } },
    performIO: { value: perform },
  });
}

/** An INSERT of ours with its values in hexadecimal, which no character set and no sql_mode reads as anything else. */
function tryPutIn(sql: string, params: readonly SqlValue[]): string | undefined {
  const parts = sql.split('?');
  if (!/^INSERT (?:IGNORE )?INTO /.test(sql) || parts.length !== params.length + 1) return undefined;
  let bytes = 0;
  const values = params.map((value) => {
    if (value === null) return 'NULL';
    if (typeof value !== 'string' && !(value instanceof Uint8Array)) return String(value);
    const buffer = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
    bytes += buffer.length;
    return bytes > MAX_BYTES ? '' : `x'${buffer.toString('hex')}'`;
  });
  if (bytes > MAX_BYTES) return undefined;
  return parts.map((part, at) => `${part}${values[at] ?? ''}`).join('');
}
