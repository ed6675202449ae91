import { afterAll, beforeAll, expect, test } from 'vitest';
import { describePostgres, type TestDatabase } from '../../../postgres/test/test-postgres.js';
import { PostgresCatalogue, type PostgresTable } from '../../src/postgres/postgres-catalogue.js';
import { openRawCapture, type RawCapture } from './raw-capture.js';

describePostgres('what is told of a table', (server) => {
  let database: TestDatabase;
  let connection: RawCapture;

  beforeAll(async () => {
    database = await server.createDatabase();
    connection = await openRawCapture(database.url);
  });

  afterAll(async () => {
    await connection.close();
    await database.drop();
  });

  async function find(name: string, schema: string | null = 'public'): Promise<PostgresTable> {
    const table = await new PostgresCatalogue().find(connection, schema, name);
    if (table === undefined) throw new Error(`there is no ${name}`);
    return table;
  }

  /** What is done is undone afterwards. */
  async function trying(sql: string, work: () => Promise<void>): Promise<void> {
    await connection.all(`BEGIN; ${sql}`);
    try {
      await work();
    } finally {
      await connection.all('ROLLBACK');
    }
  }

  test('tells views, what they read, and whether the database writes through them', async () => {
    await trying(
      `CREATE TABLE t(a int); CREATE TABLE u(a int); CREATE VIEW v AS SELECT a FROM t WHERE a > 0;
      CREATE VIEW j AS SELECT t.a FROM t JOIN u USING (a); CREATE MATERIALIZED VIEW m AS SELECT a FROM u;
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (NEW.a); RETURN NEW; END';
      CREATE TRIGGER i INSTEAD OF INSERT ON j FOR EACH ROW EXECUTE FUNCTION f();
      CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; CREATE SEQUENCE s;`,
      async () => {
        const [t, u] = [await find('t'), await find('u')];
        expect(t.rules).toEqual(['r']);
        expect(await find('v')).toMatchObject({
          kind: 'view',
          isUpdatableView: true,
          reads: [t.oid],
          rules: [],
          key: [],
        });
        const j = await find('j');
        expect(j).toMatchObject({ kind: 'view', isUpdatableView: false });
        expect(new Set(j.reads)).toEqual(new Set([t.oid, u.oid]));
        expect(j.triggers).toEqual([
          { name: 'i', timing: 'instead of', events: new Set(['insert']), isRow: true, mayWrite: true },
        ]);
        expect(await find('m')).toMatchObject({
          kind: 'materialized view',
          isUpdatableView: false,
          reads: [u.oid],
        });
        expect(await find('s')).toMatchObject({ kind: 'other' });
      },
    );
  });

  test('tells triggers that fire, with what their functions may write', async () => {
    await trying(
      `CREATE TABLE t(a int, v tsvector, b text); CREATE TABLE log(a int);
      CREATE FUNCTION sets() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.a := coalesce(NEW.a, 1); RETURN NEW; END$$;
      CREATE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO log VALUES (1); RETURN NULL; END$$;
      CREATE FUNCTION asks(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
      CREATE TRIGGER a BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION sets();
      CREATE TRIGGER b AFTER DELETE OR TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION logs();
      CREATE TRIGGER c BEFORE UPDATE ON t FOR EACH ROW WHEN (asks(NEW.a)) EXECUTE FUNCTION sets();
      CREATE TRIGGER d BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.a > 0)
        EXECUTE FUNCTION tsvector_update_trigger(v, 'pg_catalog.english', b);
      CREATE TRIGGER off BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION logs(); ALTER TABLE t DISABLE TRIGGER off;`,
      async () => {
        const { triggers } = await find('t');
        expect(triggers).toEqual([
          {
            name: 'a',
            timing: 'before',
            events: new Set(['insert', 'update']),
            isRow: true,
            mayWrite: false,
          },
          {
            name: 'b',
            timing: 'after',
            events: new Set(['delete', 'truncate']),
            isRow: false,
            mayWrite: true,
          },
          { name: 'c', timing: 'before', events: new Set(['update']), isRow: true, mayWrite: true },
          { name: 'd', timing: 'before', events: new Set(['update']), isRow: true, mayWrite: false },
        ]);
      },
    );
  });

  test('tells foreign keys at both ends', async () => {
    await trying(
      `CREATE TABLE parent(a int, b int, PRIMARY KEY (a, b), UNIQUE (b, a), next int, UNIQUE (next));
      ALTER TABLE parent ADD FOREIGN KEY (next) REFERENCES parent(next) ON DELETE CASCADE;
      CREATE SCHEMA s; CREATE TABLE s.child(x int, y int DEFAULT 1, "Z" int,
        FOREIGN KEY (y, x) REFERENCES parent(b, a) ON DELETE SET NULL (x) ON UPDATE CASCADE,
        FOREIGN KEY (x, y) REFERENCES parent ON DELETE SET DEFAULT ON UPDATE RESTRICT,
        FOREIGN KEY ("Z") REFERENCES parent(next))`,
      async () => {
        const parent = await find('parent');
        const child = await find('child', 's');
        expect(child.references).toEqual([
          { table: 'parent', columns: ['y', 'x'] },
          { table: 'parent', columns: ['x', 'y'] },
          { table: 'parent', columns: ['Z'] },
        ]);
        const name = { schema: 's', name: 'child' };
        expect(parent.referencedBy).toEqual([
          {
            table: parent.oid,
            name: parent.name,
            columns: ['next'],
            referenced: ['next'],
            onDelete: 'cascade',
            onUpdate: 'no action',
            setColumns: ['next'],
          },
          {
            table: child.oid,
            name,
            columns: ['y', 'x'],
            referenced: ['b', 'a'],
            onDelete: 'set null',
            onUpdate: 'cascade',
            setColumns: ['x'],
          },
          {
            table: child.oid,
            name,
            columns: ['x', 'y'],
            referenced: ['a', 'b'],
            onDelete: 'set default',
            onUpdate: 'restrict',
            setColumns: ['x', 'y'],
          },
          {
            table: child.oid,
            name,
            columns: ['Z'],
            referenced: ['next'],
            onDelete: 'no action',
            onUpdate: 'no action',
            setColumns: ['Z'],
          },
        ]);
        if (server.version < 18) return;
        await connection.all(
          'CREATE TABLE loose(a int REFERENCES parent(next) ON DELETE CASCADE NOT ENFORCED)',
        );
        expect((await find('parent')).referencedBy).toHaveLength(4);
      },
    );
  });

  test('tells partitions by the table that is partitioned, with what is at theirs', async () => {
    await trying(
      `CREATE TABLE p(id int PRIMARY KEY, up int) PARTITION BY RANGE (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
      CREATE TABLE p11 PARTITION OF p1 FOR VALUES FROM (0) TO (5); CREATE TABLE p2(up int, id int PRIMARY KEY);
      ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
      CREATE TABLE c(id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE, q int REFERENCES p2(id) ON DELETE SET NULL)
        PARTITION BY RANGE (id); CREATE TABLE c1 PARTITION OF c FOR VALUES FROM (0) TO (10);
      CREATE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO c VALUES (1); RETURN NULL; END$$;
      CREATE TRIGGER every AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION logs();
      CREATE TRIGGER once AFTER INSERT ON p FOR EACH STATEMENT EXECUTE FUNCTION logs();
      CREATE TRIGGER own AFTER INSERT ON p11 FOR EACH ROW EXECUTE FUNCTION logs();
      CREATE TRIGGER own_once AFTER INSERT ON p11 FOR EACH STATEMENT EXECUTE FUNCTION logs();`,
      async () => {
        const [p, p1, p11, p2, c, c1] = [
          await find('p'),
          await find('p1'),
          await find('p11'),
          await find('p2'),
          await find('c'),
          await find('c1'),
        ];
        const name = { schema: 'public', name: 'p' };
        expect(p).toMatchObject({ kind: 'partitioned', name, root: p.oid, relation: name });
        expect(p11).toMatchObject({
          kind: 'table',
          name,
          root: p.oid,
          relation: { schema: 'public', name: 'p11' },
        });
        expect(new Set(p.children.map((child) => `${child.oid} ${child.kind}`))).toEqual(
          new Set([`${p1.oid} partitioned`, `${p11.oid} table`, `${p2.oid} table`]),
        );
        expect(p11.children).toEqual([]);
        expect(p.triggers.map((trigger) => trigger.name)).toEqual(['every', 'once', 'own']);
        expect(p1.triggers.map((trigger) => trigger.name)).toEqual(['every', 'own']);
        expect(p11.triggers.map((trigger) => trigger.name)).toEqual(['every', 'own', 'own_once']);
        const both = [
          [c.oid, 'p', 'cascade'],
          [c.oid, 'q', 'set null'],
        ];
        const ends = (table: PostgresTable): unknown =>
          table.referencedBy.map((key) => [key.table, ...key.columns, key.onDelete]);
        expect(ends(p)).toEqual(both);
        expect(ends(p11)).toEqual([both[0]]);
        expect(ends(p2)).toEqual(expect.arrayContaining(both));
        expect(p2.referencedBy).toHaveLength(2);
        expect(c.references).toHaveLength(2);
        expect(c1.references).toHaveLength(2);
      },
    );
  });

  test('tells tables that inherit, with what is at theirs', async () => {
    await trying(
      `CREATE TABLE base(id int PRIMARY KEY); CREATE TABLE heir(x int, PRIMARY KEY (id)) INHERITS (base);
      CREATE TABLE child(heir int REFERENCES heir ON DELETE CASCADE);`,
      async () => {
        const [base, heir] = [await find('base'), await find('heir')];
        expect(base.children).toMatchObject([{ oid: heir.oid, kind: 'table' }]);
        expect(heir).toMatchObject({ name: { schema: 'public', name: 'heir' }, root: heir.oid });
        expect(base.referencedBy).toMatchObject([{ columns: ['heir'], onDelete: 'cascade' }]);
      },
    );
  });
});
