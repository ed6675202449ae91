import type { AuditEvent } from '@indelible/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { summary } from '../../capture/test/postgres/summary.js';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import { listTriggers } from '../src/index.js';
import { createTriggerBench, type TriggerBench } from './trigger-bench.js';

describePostgres('the triggers', (server) => {
  let bench: TriggerBench;
  beforeAll(async () => {
    bench = await createTriggerBench(server);
  });
  afterAll(() => bench.close());

  /** Each statement is told exactly, as a snapshot of every table before and after it says. */
  async function exact(...statements: readonly string[]): Promise<readonly AuditEvent[]> {
    const all: AuditEvent[] = [];
    for (const sql of statements) all.push(...(await bench.tells(() => bench.sql(sql))));
    return all;
  }

  const levels = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await listTriggers(bench.raw)).map(({ table, level }) => [table, level]));

  test('tell every form of a write', async () => {
    await bench.reset(`
      CREATE TABLE person (id int PRIMARY KEY, name text, age int DEFAULT 18, pay numeric(12,2),
        double int GENERATED ALWAYS AS (age * 2) STORED);
      CREATE TABLE visit (id int PRIMARY KEY, person int, note text)`);
    expect(await levels()).toEqual({ 'public.person': 'statement', 'public.visit': 'statement' });
    await exact(
      "INSERT INTO person (id, name) SELECT n, 'P' || n FROM generate_series(1, 40) n",
      "INSERT INTO visit VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 99, NULL)",
      'UPDATE person SET age = age + id WHERE id < 30',
      'UPDATE person SET name = v.note FROM visit v WHERE v.person = person.id',
      "WITH gone AS (DELETE FROM visit WHERE id = 3 RETURNING *) UPDATE person SET name = 'gone' FROM gone WHERE person.id = 7",
      "INSERT INTO person (id, name) VALUES (1, 'again'), (41, 'new') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
      'DELETE FROM person USING visit WHERE visit.person = person.id',
      'DO $$ BEGIN UPDATE person SET pay = 1.5 WHERE id = 9; DELETE FROM person WHERE id = 10; END $$',
      "MERGE INTO person p USING (VALUES (9, 'nine'), (50, 'fifty'), (11, NULL)) AS s(id, name) ON s.id = p.id WHEN MATCHED AND s.name IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)",
      'TRUNCATE person, visit',
    );
    await bench.verifies();
  });

  test('tell COPY, which no statement of an ORM is', async () => {
    await bench.reset('CREATE TABLE item (id int PRIMARY KEY, name text)');
    const events = await bench.tells(() =>
      bench.sql('COPY item FROM PROGRAM \'printf "1\\tone\\n2\\ttwo\\n"\''),
    );
    expect(events.map(summary)).toEqual(['create 1', 'create 2']);
  });

  test('tell keys that change, also where rows exchange them', async () => {
    await bench.reset(`CREATE TABLE item (id int PRIMARY KEY DEFERRABLE, name text);
      INSERT INTO item VALUES (1, 'one'), (2, 'two'), (3, 'three')`);
    const moved = await bench.events().then(() => bench.sql('UPDATE item SET id = 3 - id WHERE id < 3'));
    expect(moved).toEqual([]);
    const swapped = await bench.events();
    expect(swapped.map(summary)).toEqual(['update 1 to 2 id', 'update 2 to 1 id']);
    expect((await exact('UPDATE item SET id = id + 10, name = upper(name)')).map(summary).sort()).toEqual([
      'update 1 to 11 id,name',
      'update 2 to 12 id,name',
      'update 3 to 13 id,name',
    ]);
  });

  test('tell what cascades of foreign keys change, and a row that is touched twice in its order', async () => {
    await bench.reset(`
      CREATE TABLE node (id int PRIMARY KEY, parent int REFERENCES node ON UPDATE CASCADE ON DELETE SET NULL, name text);
      CREATE TABLE leaf (id int PRIMARY KEY, node int REFERENCES node ON UPDATE CASCADE ON DELETE CASCADE);
      INSERT INTO node VALUES (1, NULL, 'a'), (2, 1, 'b'), (3, 2, 'c');
      INSERT INTO leaf VALUES (10, 1), (11, 2), (12, 3)`);
    expect(await levels()).toEqual({ 'public.leaf': 'statement', 'public.node': 'row' });
    await exact(
      "UPDATE node SET id = id + 100, name = name || '!'",
      'UPDATE node SET id = 1 WHERE id = 101',
      'DELETE FROM node WHERE id = 102',
      'DELETE FROM node',
    );
  });

  test('tell the row as other triggers leave it, and what they change elsewhere', async () => {
    await bench.reset(`
      CREATE TABLE item (id int PRIMARY KEY, name text, stamp int DEFAULT 0);
      CREATE TABLE history (id serial PRIMARY KEY, item int);
      CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stamp := NEW.stamp + 1; RETURN NEW; END';
      CREATE TRIGGER a BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION stamp();
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
        INSERT INTO history (item) VALUES (NEW.id);
        IF NEW.stamp < 5 THEN UPDATE item SET name = name || NEW.stamp WHERE id = NEW.id; END IF; RETURN NULL; END';
      CREATE TRIGGER " first" AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION again()`);
    expect(await levels()).toMatchObject({ 'public.item': 'row' });
    await bench.reset(`
      CREATE TABLE item (id int PRIMARY KEY, name text, stamp int DEFAULT 0);
      CREATE TABLE history (id serial PRIMARY KEY, item int);
      CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stamp := NEW.stamp + 1; RETURN NEW; END';
      CREATE TRIGGER a BEFORE INSERT OR UPDATE ON item FOR EACH ROW EXECUTE FUNCTION stamp();
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
        INSERT INTO history (item) VALUES (NEW.id);
        IF NEW.stamp < 5 THEN UPDATE item SET name = name || NEW.stamp WHERE id = NEW.id; END IF; RETURN NULL; END';
      CREATE TRIGGER again AFTER UPDATE ON item FOR EACH ROW EXECUTE FUNCTION again()`);
    await exact(
      "INSERT INTO item VALUES (1, 'a'), (2, 'b')",
      "UPDATE item SET name = 'x'",
      'UPDATE item SET stamp = 9',
    );
  });

  test('tell partitions, wherever a row is written and wherever it goes', async () => {
    await bench.reset(`
      CREATE TABLE part (id int, at date, v text, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
      CREATE TABLE part_a PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
      CREATE TABLE part_b (note text, gone int, v text, at date NOT NULL, id int NOT NULL);
      ALTER TABLE part_b DROP COLUMN gone;
      ALTER TABLE part ATTACH PARTITION part_b FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')`);
    const told = async (sql: string): Promise<readonly string[]> => {
      await bench.sql(sql);
      return (await bench.events()).map((event) => `${event.resource?.type} ${summary(event)}`);
    };
    expect(
      await told("INSERT INTO part VALUES (1, '2024-02-02', 'a', 'n'), (2, '2025-02-02', 'b', 'm')"),
    ).toEqual(['part create {"at":"2024-02-02","id":1}', 'part create {"at":"2025-02-02","id":2}']);
    expect(await told("UPDATE part_b SET v = 'direct'")).toEqual([
      'part update {"at":"2025-02-02","id":2} v',
    ]);
    expect(await told("UPDATE part SET at = '2025-03-03' WHERE id = 1")).toEqual([
      'part delete {"at":"2024-02-02","id":1}',
      'part create {"at":"2025-03-03","id":1}',
    ]);
    // A partition that is made later has the triggers for rows, and they fire in any session.
    await bench.sql("CREATE TABLE part_c PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
    expect(
      await told(
        "SET session_replication_role = replica; INSERT INTO part_c VALUES (3, '2026-01-01', 'c', 'n'); RESET session_replication_role",
      ),
    ).toEqual(['part create {"at":"2026-01-01","id":3}']);
    expect((await listTriggers(bench.raw)).find(({ table }) => table === 'public.part_c')?.problems).toEqual([
      'missing',
    ]);
    expect((await told('TRUNCATE part_b')).length).toBe(2);
    await bench.reset('CREATE TABLE item (id int PRIMARY KEY)');
  });

  test('tell tables that inherit, with the columns that only they have', async () => {
    await bench.reset(
      `CREATE TABLE base (id int PRIMARY KEY, v text);
      CREATE TABLE child (extra text) INHERITS (base);
      INSERT INTO base VALUES (1, 'a'); INSERT INTO child VALUES (2, 'b', 'e')`,
      { tables: ['base', 'child'] },
    );
    await bench.sql("UPDATE base SET v = 'c'");
    expect((await bench.events()).map((event) => `${event.resource?.type} ${summary(event)}`).sort()).toEqual(
      ['base update 1 v', 'child update row:* v'],
    );
    await bench.sql('DELETE FROM base WHERE id = 2');
    expect((await bench.events())[0]?.change?.before).toEqual({ id: 2, v: 'c', extra: 'e' });
    await bench.sql('TRUNCATE base');
    expect((await bench.events()).map(summary)).toEqual(['delete 1']);
  });

  test('mark a table without a key', async () => {
    await bench.reset('CREATE TABLE item (id int, name text)');
    await bench.sql("INSERT INTO item VALUES (1, 'a'), (1, 'a')");
    const events = await bench.events();
    expect(events.map(({ tags, resource }) => [tags, resource?.id])).toEqual([
      [['no-primary-key'], 'row:*'],
      [['no-primary-key'], 'row:*'],
    ]);
    await bench.verifies();
  });

  test('leave no trace of excluded and masked columns, in old or new', async () => {
    await bench.reset(
      `CREATE TABLE account (id int PRIMARY KEY, name text, password_hash text, "apiKey" text, phone text, notes text, is_token boolean);
       CREATE TABLE session (token text PRIMARY KEY, account int)`,
      { exclude: ['account.notes'], mask: ['phone'] },
    );
    await bench.sql("INSERT INTO account VALUES (1, 'Ada', 'hush-1', 'hush-2', 'hush-3', 'hush-4', true)");
    await bench.sql(
      "UPDATE account SET password_hash = 'hush-5', \"apiKey\" = NULL, phone = 'hush-6', notes = 'hush-7'",
    );
    await bench.sql("UPDATE account SET notes = 'hush-8'");
    await bench.sql("INSERT INTO session VALUES ('hush-9', 1)");
    await bench.sql('ALTER TABLE account ADD COLUMN reset_token text, ADD COLUMN nick text');
    await bench.sql("UPDATE account SET reset_token = 'hush-10', nick = 'A'");
    const masked = { $indelible: 'masked' };
    const events = await bench.events();
    expect(events.map(({ change }) => change)).toEqual([
      {
        operation: 'create',
        fidelity: 'exact',
        after: { id: 1, name: 'Ada', password_hash: masked, apiKey: masked, phone: masked, is_token: true },
      },
      {
        operation: 'update',
        fidelity: 'exact',
        fields: ['password_hash', 'apiKey', 'phone'],
        before: { password_hash: masked, apiKey: masked, phone: masked },
        after: { password_hash: masked, apiKey: null, phone: masked },
      },
      { operation: 'create', fidelity: 'exact', after: { token: masked, account: 1 } },
      {
        operation: 'update',
        fidelity: 'exact',
        fields: ['reset_token', 'nick'],
        before: { reset_token: null, nick: null },
        after: { reset_token: masked, nick: 'A' },
      },
    ]);
    expect(events[2]?.resource?.id).toBe('[masked]');
    const [found] = await bench.sql(
      "SELECT count(*)::int AS n FROM audit.audit_event WHERE position('hush'::bytea IN body) > 0 OR resource_id LIKE '%hush%'",
    );
    expect(found).toEqual({ n: 0 });
    await bench.verifies();
  });

  test('tell columns that came, went, moved or changed their type since', async () => {
    await bench.reset(
      "CREATE TABLE item (id int PRIMARY KEY, a text, b int, \"c d\" text); INSERT INTO item VALUES (1, 'x', 1, 'y')",
    );
    for (const [change, write] of [
      ['ALTER TABLE item DROP COLUMN a', 'UPDATE item SET b = 2'],
      ['ALTER TABLE item ADD COLUMN e numeric', 'UPDATE item SET e = 1.50'],
      ['ALTER TABLE item ALTER COLUMN b TYPE bigint', 'UPDATE item SET b = 9007199254740993'],
      ['ALTER TABLE item RENAME COLUMN e TO f', 'UPDATE item SET f = 3'],
      ['ALTER TABLE item DROP CONSTRAINT item_pkey, DROP COLUMN id', 'UPDATE item SET f = 4'],
    ] as const) {
      await bench.sql(change);
      const problems = (await listTriggers(bench.raw))[0]?.problems;
      expect(problems, change).toEqual(['outdated']);
      await (change.includes('item_pkey') ? bench.sql(write) : exact(write));
    }
    expect((await bench.events()).at(-1)?.tags).toEqual(['no-primary-key']);
    await bench.sql('ALTER TABLE item RENAME TO thing; DELETE FROM thing');
    expect((await bench.events()).map(summary)).toEqual(['delete row:*']);
  });

  test('fail rather than lose an event that somebody has the database drop', async () => {
    await bench.reset("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a')");
    await bench.sql(`CREATE FUNCTION public.hush() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER hush BEFORE INSERT ON audit.audit_event FOR EACH ROW EXECUTE FUNCTION public.hush()`);
    try {
      for (const sql of [
        "INSERT INTO item VALUES (2, 'b')",
        "UPDATE item SET name = 'c'",
        'DELETE FROM item',
        'TRUNCATE item',
      ]) {
        await expect(bench.sql(sql), sql).rejects.toThrow(/took 0 of 1 events/);
      }
    } finally {
      await bench.sql('DROP TRIGGER hush ON audit.audit_event; DROP FUNCTION public.hush()');
    }
    expect(await bench.sql('SELECT id FROM item')).toEqual([{ id: 1 }]);
    await bench.sql('UPDATE item SET name = name');
    expect(await bench.events()).toEqual([]);
  });

  test('record nothing of what was rolled back', async () => {
    await bench.reset("CREATE TABLE item (id int PRIMARY KEY, name text); INSERT INTO item VALUES (1, 'a')");
    await bench.sql(
      `BEGIN; UPDATE item SET name = 'b'; SAVEPOINT s; UPDATE item SET name = 'c'; ROLLBACK TO s; COMMIT`,
    );
    await bench.sql(`BEGIN; UPDATE item SET name = 'd'; ROLLBACK`);
    expect((await bench.events()).map(({ change }) => change?.after)).toEqual([{ name: 'b' }]);
  });

  test('tell of many rows at once each, in the order of their ids', async () => {
    await bench.reset('CREATE TABLE item (id int PRIMARY KEY, n int, o int, t text, r json)');
    await exact(
      'INSERT INTO item SELECT n, 0, 1, NULL, NULL FROM generate_series(1, 3000) n',
      'UPDATE item SET n = id',
      'DELETE FROM item',
    );
  });

  test('count the rows of a TRUNCATE that takes very many', async () => {
    await bench.reset('CREATE TABLE item (id int PRIMARY KEY)');
    await bench.sql(
      'ALTER TABLE item DISABLE TRIGGER ALL; INSERT INTO item SELECT generate_series(1, 10001)',
    );
    await bench.sql('ALTER TABLE item ENABLE ALWAYS TRIGGER indelible_truncate; TRUNCATE item');
    const [event, ...others] = await bench.events();
    expect(others).toEqual([]);
    expect([event?.action, event?.change, event?.details?.rows]).toEqual([
      'item.truncated',
      { operation: 'truncate', fidelity: 'count-only' },
      10001,
    ]);
    await bench.verifies();
  });

  test('name rows, columns and links as they are told to', async () => {
    await bench.reset(
      `CREATE TABLE posts (id int PRIMARY KEY, content text); CREATE TABLE "_PostToTag" ("A" int, "B" text, PRIMARY KEY ("A", "B"))`,
      {
        models: {
          posts: { name: 'Post', fields: { content: 'body' } },
          _PostToTag: { link: true, fields: { A: 'Post', B: 'Tag' } },
        },
      },
    );
    await bench.sql(
      "INSERT INTO posts VALUES (1, 'x'); UPDATE posts SET content = 'y'; INSERT INTO \"_PostToTag\" VALUES (1, 'a'); DELETE FROM \"_PostToTag\"",
    );
    expect(
      (await bench.events()).map((event) => `${event.action} ${event.resource?.type} ${summary(event)}`),
    ).toEqual([
      'post.created Post create 1',
      'post.updated Post update 1 body',
      'post_to_tag.linked _PostToTag link {"Post":"1","Tag":"a"}',
      'post_to_tag.unlinked _PostToTag unlink {"Post":"1","Tag":"a"}',
    ]);
  });
});
