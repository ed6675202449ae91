import { expect, it } from 'vitest';
import { countRoundTrips } from '../../../postgres/test/counting-client.js';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresHarness, type PostgresHarness } from './postgres-harness.js';

type Work = (harness: PostgresHarness, turn: number) => Promise<unknown>;

const BARE: Readonly<Record<string, Work>> = {
  create: ({ models }, turn) => models.Tag.create({ code: `new-${turn}`, label: 'x' }),
  update: ({ models }, turn) => models.Tag.update({ label: String(turn) }, { where: { code: 'a' } }),
  increment: ({ models }) => models.Order.increment('total', { where: { id: 'a' } }),
  destroy: ({ models }, turn) => models.Order.destroy({ where: { id: `gone-${turn}` } }),
  query: ({ sequelize }, turn) => sequelize.query(`UPDATE "Tag" SET "label" = 'q${turn}' WHERE "code" = 'a'`),
};

const WITHIN: Readonly<Record<string, Work>> = {
  'an update': ({ sequelize, models }, turn) =>
    sequelize.transaction((transaction) =>
      models.Tag.update({ label: `t${turn}` }, { where: { code: 'a' }, transaction }),
    ),
  'a create and three increments': ({ sequelize, models }, turn) =>
    sequelize.transaction(async (transaction) => {
      await models.Tag.create({ code: `within-${turn}`, label: 'x' }, { transaction });
      for (const by of [1, 2, 3])
        await models.Order.increment({ total: by }, { where: { id: 'a' }, transaction });
    }),
};

/** Foreign keys carry it on: the rows that they reach are locked and read before, and read again. */
const FOLLOWED: Readonly<Record<string, Work>> = {
  destroy: ({ models }, turn) => models.Tag.destroy({ where: { code: `gone-${turn}` } }),
};

describePostgres('round trips of Sequelize', (server) => {
  async function count(
    works: Readonly<Record<string, Work>>,
    audited: boolean,
  ): Promise<Record<string, number>> {
    const harness = await createPostgresHarness({ server, pool: 1 }, { audited });
    try {
      const keys = ['a', 'gone-0', 'gone-1'];
      await harness.models.Tag.bulkCreate(keys.map((code) => ({ code, label: 'x' })));
      await harness.models.Order.bulkCreate(keys.map((id) => ({ id, group: 'g' })));
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
    expect(await count(FOLLOWED, true)).toEqual({ destroy: 4 });
  });
});
