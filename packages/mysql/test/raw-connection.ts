import mysql, { type Connection } from 'mysql2/promise';

export type RawRow = Readonly<Record<string, unknown>>;

/** A connection that knows nothing of the store. */
export interface RawConnection {
  all(sql: string, params?: readonly unknown[]): Promise<readonly RawRow[]>;
  close(): Promise<void>;
}

export async function connect(url: string): Promise<Connection> {
  const connection = await mysql.createConnection({
    uri: url,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    multipleStatements: true,
  });
  connection.on('error', () => {});
  return connection;
}

export async function openRaw(url: string): Promise<RawConnection> {
  const connection = await connect(url);
  return {
    all: async (sql, params = []) => {
      const [rows] = await connection.query(sql, [...params]);
      const answer: readonly unknown[] = Array.isArray(rows) ? rows : [];
      return answer.filter(isRow);
    },
    close: () => connection.end(),
  };
}

function isRow(row: unknown): row is RawRow {
  return typeof row === 'object' && row !== null && !Array.isArray(row);
}

/** Opens a connection for one piece of work. */
export async function withRaw<T>(url: string, work: (raw: RawConnection) => Promise<T>): Promise<T> {
  const raw = await openRaw(url);
  try {
    return await work(raw);
  } finally {
    await raw.close();
  }
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`expected text, got ${typeof value}`);
  return value;
}

export function nullable(value: unknown): string | null {
  return value === null ? null : text(value);
}

export function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Error(`expected bytes, got ${typeof value}`);
  return value;
}
