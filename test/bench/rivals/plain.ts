import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../postgres/generated/client.js';
import type { Contender, OpenOptions } from './contender.js';

/** Who acts, for those that have no context of their own. */
export const currentActor = new AsyncLocalStorage<string>();

export function createClient(url: string, { pool, prepared = false }: OpenOptions) {
  const options = prepared ? { statementNameGenerator: nameStatement } : {};
  const adapter = new PrismaPg({ connectionString: url, max: pool }, options);
  return new PrismaClient({ adapter, errorFormat: 'minimal' });
}

const names = new Map<string, string>();

function nameStatement({ sql }: { readonly sql: string }): string {
  let name = names.get(sql);
  if (name === undefined) {
    name = createHash('sha256').update(sql).digest('hex').slice(0, 40);
    names.set(sql, name);
  }
  return name;
}

/** No auditing at all. */
export const plain: Contender = {
  name: 'plain',
  prepare: async () => {},
  open: async (url, options) => {
    const client = createClient(url, options);
    return { client, settle: async () => {}, close: () => client.$disconnect() };
  },
  records: { sql: 'SELECT 1 WHERE false', read: () => [] },
  table: '"Item"',
};
