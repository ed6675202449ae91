import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres } from '../../../postgres/test/test-postgres.js';
import { bytesRead } from './bytes-read.js';
import { createPostgresBench, type PostgresBench } from './postgres-bench.js';
import { summary } from './summary.js';

const TABLE = `CREATE TABLE t(id int PRIMARY KEY, v int, body text, data bytea, doc jsonb, tags text[], name varchar(20));
  INSERT INTO t VALUES (1, 0, 'short', 'abc', '{"a":1}', '{x,y}', 'n');`;
const MB = 1_000_000;

describePostgres('a value too large for an event', (server) => {
  let bench: PostgresBench;
  beforeAll(async () => {
    bench = await createPostgresBench(server);
  });
  afterAll(() => bench.close());

  test('of 280 MB stays on the server, which tells its length and digest', async () => {
    await bench.reset(TABLE);
    const before = bytesRead(bench.caller);
    await bench.run("UPDATE t SET data = convert_to(repeat('x', 280000000), 'UTF8') WHERE id = 1");
    await bench.run('UPDATE t SET v = 1 WHERE id = 1');
    await bench.run('UPDATE t SET v = v + 1');
    await bench.run('DELETE FROM t WHERE id = 1');
    expect(bytesRead(bench.caller) - before).toBeLessThan(100_000);
    const events = await bench.events();
    expect(events.map(summary)).toEqual(['update 1 data', 'update 1 v', 'update 1 v', 'delete 1']);
    const { rows } = await bench.outside.query<{ sha256: string }>(
      "SELECT encode(sha256(convert_to(repeat('x', 280000000), 'UTF8')), 'hex') AS sha256",
    );
    const digest = { $indelible: 'bytes', length: 280 * MB, sha256: rows[0]?.sha256 };
    expect(events[0]?.change).toMatchObject({ before: { data: 'YWJj' }, after: { data: digest } });
    expect(events[3]?.change?.before?.data).toEqual(digest);
  }, 240_000);

  test('of bytes has the form that it has where the process reads it', async () => {
    await bench.reset(TABLE);
    for (const length of [1_024, 1_025, 70_000]) {
      const bytes = Buffer.alloc(length, 'indelible');
      await bench.same('UPDATE t SET data = $1 WHERE id = 1', bytes);
      const [event] = await bench.events();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(event?.change?.after?.data).toEqual(
        length <= 1_024 ? bytes.toString('base64') : { $indelible: 'bytes', length, sha256 },
      );
    }
  });

  test.each([
    ['of ASCII', 'x'],
    ['of two bytes a character', 'é'],
    ['of surrogate pairs', '😀'],
    ['of characters of every length', 'aé€😀\\"'],
  ])('of text %s has the form that it has where the process reads it', async (_, part) => {
    await bench.reset(TABLE);
    const text = part.repeat(Math.ceil(3_000_000 / part.length));
    const before = bytesRead(bench.caller);
    // The parameter is there, and the images are not.
    await bench.same('UPDATE t SET body = $1 WHERE id = 1', text);
    await bench.same('UPDATE t SET v = 1 WHERE id = 1');
    expect(bytesRead(bench.caller) - before).toBeLessThan(1_200_000);
    const [event] = await bench.events();
    const told = event?.change?.after?.body;
    expect(told).toEqual({ $indelible: 'cut', length: text.length, value: expect.any(String) });
    const { value } = told as { value: string };
    expect(value.length).toBeGreaterThan(2_000);
    expect(text.startsWith(value)).toBe(true);
  });

  test('is compared exactly, by what was left out too', async () => {
    await bench.reset(TABLE);
    const [long, other] = ['x'.repeat(MB), `${'x'.repeat(MB - 1)}y`];
    await bench.run('UPDATE t SET body = $1, tags = ARRAY[$1] WHERE id = 1', long);
    await bench.events();
    await bench.run('UPDATE t SET body = $1, v = 1 WHERE id = 1', long);
    await bench.run('UPDATE t SET body = $1 WHERE id = 1', other);
    await bench.run('UPDATE t SET tags = ARRAY[$1] WHERE id = 1', other);
    await bench.run('UPDATE t SET tags = ARRAY[$1] WHERE id = 1', other);
    expect((await bench.events()).map(summary)).toEqual(['update 1 v', 'update 1 body', 'update 1 tags']);
  });

  test('that the server makes of small ones is left there too', async () => {
    await bench.reset(TABLE);
    const before = bytesRead(bench.caller);
    await bench.run("UPDATE t SET body = repeat('ab', 2000000)");
    await bench.run("INSERT INTO t (id, body) SELECT 2, repeat('cd', 2000000)");
    await bench.run(
      "INSERT INTO t (id, body) VALUES (2, '') ON CONFLICT (id) DO UPDATE SET body = repeat('ef', 2000000) RETURNING id",
    );
    await bench.run("UPDATE t SET doc = jsonb_build_object('a', repeat('g', 2000000)), v = 7 WHERE id = 1");
    expect(bytesRead(bench.caller) - before).toBeLessThan(2_000_000);
    const events = await bench.events();
    expect(events.map(summary)).toEqual(['update 1 body', 'create 2', 'update 2 body', 'update 1 doc,v']);
    expect(events[3]?.change?.after).toMatchObject({ doc: { $indelible: 'cut', length: 2_000_009 }, v: 7 });
  });

  test('that a trigger makes comes once, and from then on stays on the server', async () => {
    await bench.reset(`${TABLE} CREATE FUNCTION grow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.body := repeat('t', 1000000 + NEW.v); RETURN NEW; END $$;
      CREATE TRIGGER grow BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION grow();`);
    await bench.run('UPDATE t SET v = 1 WHERE id = 1');
    const before = bytesRead(bench.caller);
    await bench.run('UPDATE t SET v = 2 WHERE id = 1');
    expect(bytesRead(bench.caller) - before).toBeLessThan(400_000);
    const [first, second] = await bench.events();
    expect([first, second].map((event) => event && summary(event))).toEqual([
      'update 1 body,v',
      'update 1 body,v',
    ]);
    expect(second?.change?.before?.body).toMatchObject({ $indelible: 'cut', length: MB + 1 });
    expect(second?.change?.after?.body).toMatchObject({ $indelible: 'cut', length: MB + 2 });
  });

  test('stays on the server where foreign keys and TRUNCATE reach its row', async () => {
    await bench.reset(`CREATE TABLE p(id text PRIMARY KEY); INSERT INTO p VALUES ('a'), ('b');
      CREATE TABLE c(id int PRIMARY KEY, p text REFERENCES p ON UPDATE CASCADE ON DELETE CASCADE, data bytea);
      ALTER TABLE c ALTER COLUMN data SET STORAGE EXTERNAL;
      INSERT INTO c VALUES (1, 'a', convert_to(repeat('c', 3000000), 'UTF8')), (2, 'b', convert_to(repeat('d', 3000000), 'UTF8'));`);
    const before = bytesRead(bench.caller);
    await bench.tells(() => bench.run("UPDATE p SET id = 'z' WHERE id = 'a'"));
    await bench.run("DELETE FROM p WHERE id = 'z'");
    await bench.run('TRUNCATE c');
    expect(bytesRead(bench.caller) - before).toBeLessThan(100_000);
    const told = (await bench.events()).map(({ change }) => change?.before?.data);
    expect(told.filter((data) => data !== undefined)).toEqual([
      expect.objectContaining({ $indelible: 'bytes', length: 3 * MB }),
      expect.objectContaining({ $indelible: 'bytes', length: 3 * MB }),
    ]);
  });

  test('gives away no secret in the part of it that is told', async () => {
    await bench.reset(TABLE);
    const doc = JSON.stringify({ password: 'hunter2-of-ada', pad: 'x'.repeat(600_000) });
    await bench.run('UPDATE t SET doc = $1, body = $2 WHERE id = 1', doc, doc);
    const events = await bench.events();
    expect(events.map(summary)).toEqual(['update 1 body,doc']);
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });
});
