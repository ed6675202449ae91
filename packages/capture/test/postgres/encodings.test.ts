import { runWithContext } from '@indelible/context';
import { expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { createPostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

describePostgres('a database that is not encoded in UTF-8', (server) => {
  test.each([
    ['LATIN1', 'é'],
    ['EUC_JP', '日本'],
    ['SQL_ASCII', 'é日本'],
  ])('has the rows and the actor of each write in %s', async (encoding, text) => {
    const bench = await createPostgresBench(server, { encoding });
    try {
      await bench.reset(
        `CREATE TABLE "${text}"(id text PRIMARY KEY, n text); INSERT INTO "${text}" VALUES ('${text}', 'x');`,
      );
      await runWithContext({ actor: { type: 'user', id: '😀 Ω é' } }, async () => {
        await bench.same(`UPDATE "${text}" SET n = $1`, `${text} anew`);
        await bench.same(`UPDATE "${text}" SET n = repeat('${text}', 100000)`);
        await bench.same(`DELETE FROM "${text}"`);
        // What the encoding has no place for fails as it would without auditing.
        await bench.same(`INSERT INTO "${text}" VALUES ($1, $1)`, encoding === 'SQL_ASCII' ? 'a' : '😀');
      });
      const events = await bench.events();
      const expected = [`update ${text} n`, `update ${text} n`, `delete ${text}`];
      expect(events.map(summary)).toEqual(encoding === 'SQL_ASCII' ? [...expected, 'create a'] : expected);
      expect(events.every(({ actor }) => actor.id === '😀 Ω é')).toBe(true);
      expect(events[0]?.change?.after).toEqual({ n: `${text} anew` });
      await bench.audit.seal();
      expect((await bench.audit.verify()).flatMap(({ findings }) => findings)).toEqual([]);
    } finally {
      await bench.close();
    }
  });
});
