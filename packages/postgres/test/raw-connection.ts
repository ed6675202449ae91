import pg from 'pg';

export type RawRow = Readonly<Record<string, unknown>>;

/** A connection that knows nothing of the store. */
export interface RawConnection {
  all(sql: string, params?: readonly unknown[]): Promise<readonly RawRow[]>;
  close(): Promise<void>;
}

export async function openRaw(url: string): Promise<RawConnection> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return {
    all: async (sql, params = []) => {
      const result: unknown = await client.query(sql, params.length === 0 ? undefined : [...params]);
      const last: unknown = Array.isArray(result) ? result.at(-1) : result;
      if (typeof last !== 'object' || last === null || !('rows' in last) || !Array.isArray(last.rows))
        return [];
      return last.rows;
    },
    close: () => client.end(),
  };
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
