import { createAudit } from '@indelible/core';
import { DataSource, type QueryFailedError } from 'typeorm';
import { expect, it } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { auditDataSource } from '../../src/index.js';
import { createMysqlHarness, HMAC_KEY, type MysqlHarness, readEvents } from './mysql-harness.js';

describeMysql('an audited data source', (server) => {
  async function withHarness(work: (harness: MysqlHarness) => Promise<void>, audited = true): Promise<void> {
    const harness = await createMysqlHarness({ server, pool: 1 }, { audited });
    try {
      await work(harness);
    } finally {
      await harness.close();
    }
  }

  /** What the same work gives with auditing and without. */
  async function both(work: (harness: MysqlHarness) => Promise<unknown>): Promise<[unknown, unknown]> {
    const seen: unknown[] = [];
    for (const audited of [true, false]) {
      await withHarness(async (harness) => void seen.push(await work(harness)), audited);
    }
    return [seen[0], seen[1]];
  }

  it('gives what query runners answer as without auditing, in every shape', async () => {
    const [audited, plain] = await both(async ({ dataSource }) => {
      const runner = dataSource.createQueryRunner();
      const answers: unknown[] = [];
      const statements: [string, unknown[]?][] = [
        ['INSERT INTO `Tag` VALUES (?, ?), (?, ?)', ['a', 'x?', 'b', 'x']],
        ["INSERT INTO `Tag` VALUES (?, 'x') RETURNING *, 1 AS n", ['c']],
        ["INSERT INTO `User` (`email`) VALUES ('a@a.test'), ('b@a.test')"],
        ["INSERT INTO `User` (`email`) VALUES ('a@a.test') ON DUPLICATE KEY UPDATE `name` = 'Ada'"],
        ['SELECT LAST_INSERT_ID() AS id'],
        ['UPDATE `Tag` SET `label` = ?', ['y']],
        ['UPDATE `Tag` SET `label` = ?', ['y']],
        ["DELETE FROM `Tag` WHERE `code` = 'absent'"],
        ['DELETE FROM `Tag` WHERE `code` IN (?)', [['a', 'b']]],
        ['DELETE FROM `Tag` RETURNING `code`'],
      ];
      for (const [sql, parameters] of statements) {
        const result = await runner.query(sql, parameters, true);
        const told = JSON.parse(JSON.stringify(result)) as { raw: object };
        // They tell of the transaction and of the server's own counting, and nothing of the rows.
        for (const name of ['serverStatus', 'info']) Reflect.deleteProperty(told.raw, name);
        answers.push([told, Object.prototype.toString.call(result.raw), result.raw?.constructor?.name]);
      }
      await runner.release();
      return answers;
    });
    expect(audited).toEqual(plain);
  });

  it('gives the errors of the driver as without auditing, with the text that the caller sent', async () => {
    const [audited, plain] = await both(async ({ dataSource }) => {
      const errors: unknown[] = [];
      for (const sql of [
        "INSERT INTO `Tag` VALUES (NULL, 'x')",
        'INSERT INTO `Tag` (nothing) VALUES (1)',
        'SELEKT 1',
        'UPDATE nowhere SET x = 1',
        "UPDATE `User` SET `managerId` = 'x'",
      ]) {
        await dataSource.query(sql).catch((error: QueryFailedError & { code: string; sql?: string }) => {
          errors.push([error.constructor.name, error.message, error.query, error.code, error.sql]);
        });
      }
      return errors;
    });
    expect(audited).toEqual(plain);
  });

  it('tells by the branch that ran what upsert() did, also as the first of its kind on a connection', async () => {
    await withHarness(async (harness) => {
      const memberships = harness.dataSource.getRepository(harness.domain.Membership);
      await memberships.insert({ org: 'a', seat: 1 });
      const level = { org: 'a', level: 'gold' };
      for (const seats of [[1, 2], [1]]) {
        await memberships.upsert(
          seats.map((seat) => ({ ...level, seat })),
          ['org', 'seat'],
        );
      }
      expect((await harness.events()).map(({ action, resource }) => [action, resource?.id])).toEqual([
        ['membership.created', '{"org":"a","seat":1}'],
        ['membership.updated', '{"org":"a","seat":1}'],
        ['membership.created', '{"org":"a","seat":2}'],
      ]);
    });
  });

  it('leaves SET TRANSACTION to the transaction that it is meant for', async () => {
    await withHarness(async ({ dataSource, domain, events }) => {
      const level = await dataSource.transaction('SERIALIZABLE', async (manager) => {
        await manager.getRepository(domain.Tag).insert({ code: 'a', label: 'x' });
        const [row] = await manager.query<object[]>(
          `SELECT trx_isolation_level AS level FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = CONNECTION_ID()`,
        );
        return row;
      });
      expect(level).toEqual({ level: 'SERIALIZABLE' });
      expect((await events()).map(({ action }) => action)).toEqual(['tag.created']);
    });
  });

  it('records what clear() took before it ran as far as it can be, and marks it', async () => {
    await withHarness(async (harness) => {
      const orders = harness.dataSource.getRepository(harness.domain.Order);
      await orders.insert({ id: 'o', group: 'g' });
      await orders.clear();
      expect((await harness.events()).map(({ action, change }) => [action, change?.fidelity])).toEqual([
        ['order.created', 'exact'],
        ['order.executed', 'opaque'],
      ]);
    });
  });

  it('refuses what would commit at places that are not seen, and what a stream writes', async () => {
    await withHarness(async ({ dataSource }) => {
      const runner = dataSource.createQueryRunner();
      await expect(runner.query('SET autocommit = 0')).rejects.toMatchObject({
        code: 'AUDIT_TRANSACTION_UNKNOWN',
      });
      await expect(runner.stream('DELETE FROM `Tag`')).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      const read: unknown[] = [];
      const stream = await runner.stream('SELECT 1 AS one');
      for await (const row of stream) read.push({ ...(row as object) });
      await runner.release();
      expect(read).toEqual([{ one: 1 }]);
    });
  });

  it('offers its own database as the store', async () => {
    const harness = await createMysqlHarness({ server, pool: 1 }, { audited: false });
    const audit = createAudit({ hmacKey: HMAC_KEY, lifecycleEvents: false });
    const { hostname: host, port, username, password, pathname } = new URL(harness.url);
    const dataSource = new DataSource({
      type: 'mysql',
      ...{ host, username, password, database: pathname.slice(1), port: Number(port || 3306) },
      entities: Object.values(harness.domain),
    });
    try {
      await auditDataSource(dataSource, { audit }).initialize();
      await dataSource.getRepository(harness.domain.Tag).insert({ code: 'a', label: 'x' });
      expect((await readEvents(harness.raw)).map(({ action }) => action)).toEqual(['tag.created']);
    } finally {
      await dataSource.destroy();
      await audit.close();
      await harness.close();
    }
  });
});
