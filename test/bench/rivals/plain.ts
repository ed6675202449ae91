import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../postgres/generated/client.js';
import type { Contender } from './contender.js';

/** Who acts, for those that have no context of their own. */
export const currentActor = new AsyncLocalStorage<string>();

export function createClient(url: string, pool: number) {
  const adapter = new PrismaPg({ connectionString: url, max: pool });
  return new PrismaClient({ adapter, errorFormat: 'minimal' });
}

/** No auditing at all. */
export const plain: Contender = {
  name: 'plain',
  prepare: async () => {},
  open: async (url, { pool }) => {
    const client = createClient(url, pool);
    return { client, settle: async () => {}, close: () => client.$disconnect() };
  },
  records: { sql: 'SELECT 1 WHERE false', read: () => [] },
  table: '"Item"',
};
