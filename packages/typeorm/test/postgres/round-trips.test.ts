import { expect, it } from 'vitest';
import { countRoundTrips } from '../../../postgres/test/counting-client.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness, type PostgresHarness } from './postgres-harness.js';

type Work = (harness: PostgresHarness, turn: number) => Promise<unknown>;

const tags = ({ dataSource, domain }: PostgresHarness) => dataSource.getRepository(domain.Tag);

const BARE: Readonly<Record<string, Work>> = {
  'insert()': (harness, turn) => tags(harness).insert({ code: `new-${turn}`, label: 'x' }),
  'update()': (harness, turn) => tags(harness).update({ code: 'a' }, { label: String(turn) }),
  'delete()': ({ dataSource, domain }, turn) =>
    dataSource.getRepository(domain.Order).delete({ id: `gone-${turn}` }),
  'query() without parameters': ({ dataSource }, turn) =>
    dataSource.query(`UPDATE "Tag" SET "label" = 'q${turn}' WHERE "code" = 'a'`),
};

const WITHIN: Readonly<Record<string, Work>> = {
  'save() of a new row': (harness, turn) => tags(harness).save({ code: `saved-${turn}`, label: 'x' }),
  'save() of a row that is there': (harness, turn) => tags(harness).save({ code: 'a', label: String(turn) }),
  'remove()': async ({ dataSource, domain }, turn) => {
    const orders = dataSource.getRepository(domain.Order);
    await orders.remove(await orders.findOneByOrFail({ id: `gone-${turn}` }));
  },
  'three updates in a transaction': ({ dataSource, domain }, turn) =>
    dataSource.transaction(async (manager) => {
      for (const step of [1, 2, 3])
        await manager.getRepository(domain.Tag).update({ code: 'a' }, { label: `${turn}-${step}` });
    }),
};

/** Foreign keys carry it on: the rows that they reach are locked and read before, and read again. */
const FOLLOWED: Readonly<Record<string, Work>> = {
  'delete()': (harness, turn) => tags(harness).delete({ code: `gone-${turn}` }),
};

describePostgres('round trips of TypeORM', (server) => {
  async function count(
    works: Readonly<Record<string, Work>>,
    audited: boolean,
  ): Promise<Record<string, number>> {
    const harness = await createPostgresHarness({ server, pool: 1 }, { audited });
    try {
      const keys = ['a', 'gone-0', 'gone-1'];
      await tags(harness).insert(keys.map((code) => ({ code, label: 'x' })));
      await harness.dataSource
        .getRepository(harness.domain.Order)
        .insert(keys.map((id) => ({ id, group: 'g' })));
      const counts = await countRoundTrips(harness, works);
      const recorded = (await harness.events()).length;
      if (audited) expect(recorded).toBeGreaterThanOrEqual(2 * Object.keys(works).length);
      return counts;
    } finally {
      await harness.close();
    }
  }

  it('are two for a write without a transaction, with its event', async () => {
    expect(await count(BARE, true)).toEqual(Object.fromEntries(Object.keys(BARE).map((name) => [name, 2])));
  });

  it('are no more than without auditing within a transaction', async () => {
    expect(await count(WITHIN, true)).toEqual(await count(WITHIN, false));
  });

  it('are four where foreign keys carry a write on', async () => {
    expect(await count(FOLLOWED, true)).toEqual({ 'delete()': 4 });
  });
});
