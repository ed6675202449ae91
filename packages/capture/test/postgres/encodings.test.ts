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

  test('finds no table by a name that LATIN1 has no form for, and the caller hears the same', async () => {
    const bench = await createPostgresBench(server, { encoding: 'LATIN1' });
    try {
      await bench.reset(
        'CREATE TABLE t(id int PRIMARY KEY); CREATE SCHEMA "é"; CREATE TABLE "é"."ü"(id int);',
      );
      await bench.same('INSERT INTO t VALUES (1)');
      for (const sql of ['UPDATE "日本" SET n = 1', 'DELETE FROM "日本".t', 'TRUNCATE "😀"']) {
        expect(await bench.same(sql)).toMatchObject({ error: expect.stringMatching(/^22P05/) });
        await bench.same('BEGIN');
        await bench.same(sql);
        await bench.same('SELECT 1');
        await bench.same('ROLLBACK');
      }
      await bench.same('INSERT INTO "é"."ü" VALUES (1)');
      expect((await bench.events()).map(summary)).toEqual([
        'create 1',
        expect.stringMatching(/^create row:/),
      ]);
    } finally {
      await bench.close();
    }
  });

  test('tells values apart that are no UTF-8, where the server does not know what they are', async () => {
    const bench = await createPostgresBench(server, { encoding: 'SQL_ASCII' });
    try {
      await bench.reset(`CREATE TABLE t(id text PRIMARY KEY, n text); CREATE TABLE c(t text REFERENCES t ON DELETE CASCADE);
        INSERT INTO t VALUES (1, E'a\\xe9"\\\\é'), (2, 'ü'); INSERT INTO c VALUES (1);`);
      await bench.same("UPDATE t SET n = E'a\\xea\"\\\\é' WHERE id = '1'");
      await bench.same("UPDATE t SET n = E'a\\xea\"\\\\é' WHERE id = '1'");
      await bench.same("INSERT INTO t VALUES ('2', 'ö') ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n");
      await bench.same("DELETE FROM t WHERE id = '1'");
      await bench.same('TRUNCATE t CASCADE');
      const events = await bench.events();
      expect(events.map(summary)).toEqual([
        'update 1 n',
        'update 2 n',
        'delete 1',
        expect.stringMatching(/^delete row:|^opaque c/),
        'delete 2',
      ]);
      const values = events.flatMap(({ change }) => [change?.before?.n, change?.after?.n]);
      expect(values.slice(2)).toEqual(['ü', 'ö', values[1], undefined, undefined, undefined, 'ö', undefined]);
      expect(values[0]).not.toEqual(values[1]);
    } finally {
      await bench.close();
    }
  });

  test('lets a write through whose row holds what has no form in UTF-8, marks it, and strict refuses it', async () => {
    const bench = await createPostgresBench(server, { encoding: 'EUC_JP' });
    try {
      await bench.reset(`CREATE TABLE t(id int PRIMARY KEY, v int, n text); CREATE TABLE c(id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE, n text);
        INSERT INTO t VALUES (1, 1, convert_from('\\xa9a1', 'EUC_JP')), (2, 2, '日本'), (3, 3, '本');
        INSERT INTO c VALUES (1, 1, 'x'), (2, 3, convert_from('\\xa9a1', 'EUC_JP'));`);
      const strict = await bench.open({ strict: true });
      await strict.run('BEGIN');
      for (const sql of ['UPDATE t SET v = 9', 'DELETE FROM t', 'TRUNCATE t CASCADE']) {
        await expect(strict.run(sql)).rejects.toMatchObject({ code: 'AUDIT_NOT_EXACT' });
      }
      await strict.run('UPDATE t SET v = 8 WHERE id = 2');
      await strict.run('COMMIT');
      await bench.plain.run('UPDATE t SET v = 8 WHERE id = 2');
      await bench.same('BEGIN');
      await bench.same('UPDATE t SET v = v + 1');
      await bench.same('UPDATE t SET v = v + 1 WHERE id = 2');
      await bench.same('DELETE FROM t WHERE id = 1');
      await bench.same('DELETE FROM t WHERE id = 3');
      await bench.same('COMMIT');
      await bench.same("INSERT INTO t VALUES (4, 4, convert_from('\\xa9a1', 'EUC_JP'))");
      await bench.same('INSERT INTO t VALUES ($1, 4, $2)', 5, '😀');
      await bench.same('TRUNCATE t CASCADE');
      const mark = 'values of "t" that have no form in UTF-8';
      expect((await bench.events()).map(summary)).toEqual([
        'update 2 v',
        `opaque t: ${mark}`,
        'update 2 v',
        ...Array.from({ length: 2 }, () => 'opaque : values that have no form in UTF-8'),
        `opaque t: ${mark}`,
        'opaque : values that have no form in UTF-8',
      ]);
    } finally {
      await bench.close();
    }
  });
});
