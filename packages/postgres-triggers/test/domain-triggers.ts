import type { OrmHarnessOptions } from '@indelible/capture/conformance';
import type pg from 'pg';
import { installTriggers, type TableOptions } from '../src/index.js';

/** The tables of the suite's domain, as its Prisma schema names them. */
const DOMAIN: Readonly<Record<string, TableOptions>> = {
  User: {},
  Profile: {},
  posts: { name: 'Post', fields: { content: 'body' } },
  Comment: {},
  Tag: {},
  Membership: {},
  order: { name: 'Order', fields: { Group: 'group' } },
  _Friends: { name: 'Friends', link: true },
  _PostToTag: { name: 'PostToTag', link: true, fields: { A: 'Post', B: 'Tag' } },
};

/** Puts triggers on them with what the suite asks of a client. */
export async function installDomainTriggers(
  raw: pg.Client,
  { exclude = [], models = {}, snapshot = 'changed' }: OrmHarnessOptions,
): Promise<void> {
  const columns = Object.entries(models).flatMap(([model, own]) =>
    (own.exclude ?? []).map((column) => `${model}.${column}`),
  );
  await installTriggers(raw, {
    tables: Object.keys(DOMAIN).filter((table) => !exclude.includes(table)),
    models: DOMAIN,
    exclude: columns,
    snapshot,
  });
}
