import { withOracle } from '@indelible/capture/conformance';
import { auditErrorCode } from '@indelible/core';
import { expect, test } from 'vitest';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { createMysqlHarness, MYSQL_DIALECTS, type MysqlHarness } from './mysql-harness.js';

/** Statements whose answers are compared whole, as the driver gives them. */
const STATEMENTS = [
  "INSERT INTO `Tag` VALUES ('a', 'a'), ('b', 'b')",
  "INSERT INTO `posts` (`title`, `authorId`) SELECT 'title', id FROM `User`",
  "INSERT INTO `User` (`email`, `createdAt`, `updatedAt`) VALUES ('a@a.test', NOW(), NOW()), ('b@a.test', NOW(), NOW())",
  "INSERT INTO `Tag` VALUES ('c', 'c') RETURNING *, length(label) AS n",
  "UPDATE `Tag` SET `label` = 'a'",
  "UPDATE `Tag` SET `label` = 'a'",
  "INSERT INTO `Tag` VALUES ('a', 'x'), ('d', 'x') ON DUPLICATE KEY UPDATE `label` = VALUES(`label`)",
  "INSERT IGNORE INTO `Tag` VALUES ('a', 'y')",
  "REPLACE INTO `Tag` VALUES ('a', 'z')",
  "DELETE FROM `Tag` WHERE `code` = 'a'",
  "DELETE FROM `Tag` WHERE `code` = 'b' RETURNING `label`",
  'SELECT * FROM `Tag`',
];

for (const dialect of MYSQL_DIALECTS) {
  describeMysql(`what the driver of ${dialect} answers Sequelize`, (server) => {
    const withHarness = async (
      options: Parameters<typeof createMysqlHarness>[1],
      work: (harness: MysqlHarness) => Promise<void>,
    ): Promise<void> => {
      const harness = await createMysqlHarness({ server, dialect, pool: 1 }, options);
      try {
        await work(harness);
      } finally {
        await harness.close();
      }
    };

    test('rows, counts and keys are the same as without auditing, in and out of transactions', async () => {
      const answers = async (audited: boolean, within: boolean): Promise<unknown[]> => {
        const told: unknown[] = [];
        await withHarness({ audited }, async ({ sequelize }) => {
          const run = async (transaction?: object): Promise<void> => {
            for (const sql of STATEMENTS)
              told.push(
                // Sequelize 6 can not read rows of raw queries from every version of the mariadb driver.
                await sequelize
                  .query(sql, { ...transaction })
                  .then(comparable, (error: Error) => error.message),
              );
          };
          if (within) await sequelize.transaction((transaction) => run({ transaction }));
          else await run();
        });
        return told;
      };
      const plain = await answers(false, false);
      expect(await answers(true, false)).toEqual(plain);
      expect(await answers(true, true)).toEqual(plain);
    });

    test('the first UPDATE of a connection tells each of its rows, also where they are many bytes', async () => {
      await withHarness({}, async (harness) => {
        const rows = Array.from(
          { length: 12 },
          (_, n) => `('u${n}@a.test', REPEAT('${n}', 4000), NOW(), NOW())`,
        );
        await harness.raw.query(
          `INSERT INTO \`User\` (\`email\`, \`name\`, \`createdAt\`, \`updatedAt\`) VALUES ${rows.join(', ')}`,
        );
        const events = await withOracle(harness, () =>
          harness.sequelize.query("UPDATE `User` SET `name` = 'short'"),
        );
        expect(events).toHaveLength(12);
      });
    });

    test('TRUNCATE and what changes the schema commit before they run, and take the events before them along', async () => {
      await withHarness({}, async ({ sequelize, models, events }) => {
        await sequelize
          .transaction(async (transaction) => {
            await models.Tag.create({ code: 'kept', label: 'x' }, { transaction });
            await models.Membership.destroy({ truncate: true, transaction });
            throw new Error('too late');
          })
          .catch(() => undefined);
        await models.Tag.create({ code: 'after', label: 'x' });
        const told = await events();
        expect(told.map(({ resource, change }) => [resource?.id, change?.fidelity])).toEqual([
          ['kept', 'exact'],
          ['*', 'opaque'],
          ['after', 'exact'],
        ]);
      });
    });

    test('what commits at places that are not seen is refused', async () => {
      await withHarness({}, async ({ sequelize, models }) => {
        for (const sql of ['LOCK TABLES `Tag` WRITE', 'SET autocommit = 0', "XA START 'x'"]) {
          await expect(sequelize.query(sql)).rejects.toSatisfy(
            (error) => auditErrorCode(Object(error).parent) === 'AUDIT_TRANSACTION_UNKNOWN',
          );
        }
        await models.Tag.create({ code: 'a', label: 'x' });
      });
    });

    test('transactions that are begun and ended by hand on a connection are followed', async () => {
      await withHarness({}, async ({ sequelize, events }) => {
        const connection = await sequelize.connectionManager.getConnection({ type: 'write' });
        const run = (sql: string) => callDriver(connection, 'query', sql);
        const insert = (code: string) => run(`INSERT INTO Tag VALUES ('${code}', 'x')`);
        await run('BEGIN');
        await insert('kept');
        await run('COMMIT AND CHAIN');
        await insert('gone');
        await run('ROLLBACK');
        await callDriver(connection, 'beginTransaction');
        await insert('begun');
        await callDriver(connection, 'commit');
        await insert('alone');
        sequelize.connectionManager.releaseConnection(connection);
        const told = await events();
        expect(told.map(({ resource }) => resource?.id)).toEqual(['kept', 'begun', 'alone']);
        expect(new Set(told.map(({ context }) => context.transactionId)).size).toBe(3);
      });
    });

    test('what the driver would stream past the audit is refused', async () => {
      await withHarness({}, async ({ sequelize }) => {
        const connection = await sequelize.connectionManager.getConnection({ type: 'write' });
        const stream: unknown = Reflect.get(connection, dialect === 'mysql' ? 'query' : 'queryStream');
        expect(() => Reflect.apply(Object(stream), connection, ['DELETE FROM Tag'])).toThrow(
          /pass the audit/,
        );
        sequelize.connectionManager.releaseConnection(connection);
      });
    });
  });
}

/** A method of mysql2 with its callback, or of the mariadb driver with its promise. */
function callDriver(connection: object, method: string, ...args: unknown[]): Promise<unknown> {
  const own: unknown = Reflect.get(connection, method);
  return new Promise((resolve, reject) => {
    const callback = (error: unknown, answer: unknown): void => (error ? reject(error) : resolve(answer));
    const answer: unknown = Reflect.apply(Object(own), connection, [...args, callback]);
    if (answer instanceof Promise) answer.then(resolve, reject);
  });
}

/** What of an answer does not differ from run to run. */
function comparable([rows, metadata]: readonly unknown[]): unknown {
  const name = Object(metadata).constructor.name;
  const { affectedRows, insertId } = Object(metadata);
  const columns = Array.isArray(metadata) ? metadata.map((column) => typeof column) : [];
  return {
    rows: JSON.stringify(Array.isArray(rows) ? rows : []),
    name,
    affectedRows,
    insertId,
    columns,
  };
}
