import { openRaw, type RawConnection } from '../../../postgres/test/raw-connection.js';
import type { CaptureConnection } from '../../src/dialect.js';

export interface RawCapture extends CaptureConnection, RawConnection {
  /** How many queries went through `query`. */
  readonly count: () => number;
}

/** A connection as an ORM package makes one, over the driver alone. */
export async function openRawCapture(url: string): Promise<RawCapture> {
  const raw = await openRaw(url);
  let count = 0;
  return {
    ...raw,
    count: () => count,
    query: async (sql, params) => {
      count += 1;
      return (await raw.all(sql, params)).map((row) => Object.values(row));
    },
    execute: async () => {
      throw new Error('the catalogue only reads');
    },
  };
}
