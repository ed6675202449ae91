import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../../mysql/test/raw-connection.js';
import { describeMysql } from '../../../mysql/test/test-mysql.js';
import { createMysqlHarness, type MysqlHarness } from './mysql-harness.js';

const NOW = "'2024-05-01 10:00:00.000'";

describeMysql('a transaction that times out', (server) => {
  let harness: MysqlHarness;
  beforeEach(async () => {
    harness = await createMysqlHarness({ server, pool: 1 });
    await harness.raw.query(
      `INSERT INTO User (email, name, createdAt, updatedAt) VALUES ('ada@a.test', 'Ada', ${NOW}, ${NOW})`,
    );
  });
  afterEach(() => harness.close());

  test('while an operation of it looks for the row lets that operation change nothing behind it', async () => {
    const rival = await connect(harness.url);
    try {
      await rival.query('LOCK TABLES User WRITE');
      const expired = harness.prisma.$transaction(
        (tx) => tx.user.update({ where: { email: 'ada@a.test' }, data: { name: 'nobody' } }),
        { timeout: 300 },
      );
      const refused = expect(expired).rejects.toMatchObject({ code: 'P2028' });
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      await rival.query('UNLOCK TABLES');
      await refused;
      // The pool has one connection, so this comes behind whatever was still to be sent.
      await harness.prisma.user.findMany();
      const [rows] = await rival.query('SELECT name FROM User');
      expect(rows).toEqual([{ name: 'Ada' }]);
      expect(await harness.events()).toEqual([]);
    } finally {
      await rival.end();
    }
  });
});
