import fc from 'fast-check';

/** Tables that reach one another by every foreign-key action, with every kind of key. */
export const RANDOM_SCHEMA = `
  CREATE TABLE p(id INTEGER PRIMARY KEY, u TEXT UNIQUE, v INTEGER, g INTEGER AS (v * 2) STORED);
  CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p(id) ON UPDATE CASCADE ON DELETE CASCADE,
    q INTEGER REFERENCES c(id) ON UPDATE CASCADE ON DELETE SET NULL, u TEXT, v INTEGER DEFAULT 1);
  CREATE TABLE s(id TEXT PRIMARY KEY, u TEXT REFERENCES p(u) ON UPDATE CASCADE ON DELETE SET NULL,
    v INTEGER DEFAULT 2 REFERENCES p(id) ON UPDATE SET NULL ON DELETE SET DEFAULT);
  CREATE TABLE w(id TEXT COLLATE NOCASE, u INTEGER, v INTEGER REFERENCES p(id) ON UPDATE SET NULL ON DELETE CASCADE,
    PRIMARY KEY (u, id)) WITHOUT ROWID;
  CREATE TABLE n(id INTEGER, u TEXT, v INTEGER UNIQUE);
  CREATE TABLE e(id INTEGER PRIMARY KEY, q INTEGER UNIQUE REFERENCES e(id) ON UPDATE CASCADE ON DELETE CASCADE, u TEXT, v INTEGER);
`;

/** Triggers of the application that may take part: ones that edit, copy, refuse and delete. */
const RANDOM_TRIGGERS: readonly string[] = [
  'CREATE TRIGGER stamp AFTER UPDATE OF v ON p BEGIN UPDATE p SET u = u || NEW.v WHERE id = NEW.id AND length(u) < 6; END',
  'CREATE TRIGGER keep BEFORE DELETE ON c WHEN OLD.v = 3 BEGIN SELECT RAISE(IGNORE); END',
  'CREATE TRIGGER hold BEFORE UPDATE ON e WHEN OLD.v = 2 BEGIN SELECT RAISE(IGNORE); END',
  'CREATE TRIGGER copy AFTER INSERT ON s BEGIN INSERT INTO n(id, u) VALUES (1, NEW.id); END',
  'CREATE TRIGGER away AFTER INSERT ON n WHEN NEW.v = 4 BEGIN DELETE FROM e WHERE id = 3; DELETE FROM n WHERE id = NEW.id; END',
  'CREATE TRIGGER grown AFTER INSERT ON c BEGIN UPDATE c SET v = 5, q = NULL WHERE id = NEW.id; END',
  "CREATE TRIGGER stop BEFORE UPDATE ON w WHEN NEW.u = 4 BEGIN SELECT RAISE(FAIL, 'stop'); END",
  "CREATE TRIGGER undo BEFORE INSERT ON e WHEN NEW.v = 5 BEGIN SELECT RAISE(ROLLBACK, 'undo'); END",
  'CREATE TRIGGER moved AFTER UPDATE OF id ON e BEGIN UPDATE e SET id = id + 20 WHERE id = 1; END',
];

/** One statement, or a step of a transaction. */
export interface RandomStep {
  readonly sql: string;
  /** What the connection is in: a transaction of its own, or one that began before and may be undone. */
  readonly kind: 'statement' | 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback-to';
}

export interface RandomRun {
  readonly triggers: readonly string[];
  readonly steps: readonly RandomStep[];
}

const TABLES: Readonly<Record<string, readonly string[]>> = {
  p: ['id', 'u', 'v'],
  c: ['id', 'p', 'q', 'u', 'v'],
  s: ['id', 'u', 'v'],
  w: ['id', 'u', 'v'],
  n: ['id', 'u', 'v'],
  e: ['id', 'q', 'u', 'v'],
};

const number = fc.integer({ min: 1, max: 6 }).map(String);
const text = fc.constantFrom("'a'", "'A'", "'b'", "'c'", "'d'", "'1'");
const value = fc.oneof({ weight: 4, arbitrary: number }, text, fc.constant('NULL'));

const INTEGER_KEYS = new Set(['p', 'c', 'e']);
/**
 * Nothing but a number goes into an INTEGER PRIMARY KEY: without a statement journal SQLite keeps the rows before a
 * "datatype mismatch" in a transaction, and triggers make it open one.
 */
function cellOf(table: string, column: string): fc.Arbitrary<string> {
  return column === 'id' && INTEGER_KEYS.has(table) ? number : value;
}

function setting(table: string): fc.Arbitrary<string> {
  const assigned = fc.constantFrom(...(TABLES[table] ?? [])).chain((column) => {
    const isKey = column === 'id' && INTEGER_KEYS.has(table);
    const expressions = ['id + 1', 'id - 1', '7 - id', table === 'w' ? 'u' : 'rowid'];
    const expression = fc.constantFrom(...expressions, ...(isKey ? [] : ['v + 1', 'upper(id)']));
    return fc.oneof(cellOf(table, column), expression).map((text) => `${column} = ${text}`);
  });
  return fc
    .uniqueArray(assigned, { minLength: 1, maxLength: 3, selector: (one) => one.split(' ')[0] })
    .map((all) => all.join(', '));
}

function condition(table: string): fc.Arbitrary<string> {
  const column = fc.constantFrom(...(TABLES[table] ?? []));
  const compared = fc
    .tuple(column, fc.constantFrom('=', '<', '>', 'IS', '<>'), value)
    .map((parts) => ` WHERE ${parts.join(' ')}`);
  const nested = fc
    .tuple(column, fc.constantFrom('p', 'c', 'e', 'n'))
    .map(([name, other]) => ` WHERE ${name} IN (SELECT v FROM ${other})`);
  return fc.oneof({ weight: 4, arbitrary: compared }, nested, fc.constant(''));
}

const clause = fc.constantFrom(
  '',
  '',
  '',
  ' OR IGNORE',
  ' OR FAIL',
  ' OR ABORT',
  ' OR ROLLBACK',
  ' OR REPLACE',
  ' OR REPLACE',
);

const statement: fc.Arbitrary<string> = fc.constantFrom(...Object.keys(TABLES)).chain((table) => {
  const columns = (TABLES[table] ?? []).join(', ');
  const row = fc
    .tuple(...(TABLES[table] ?? []).map((column) => cellOf(table, column)))
    .map((values) => `(${values.join(', ')})`);
  const rows = fc.array(row, { minLength: 1, maxLength: 4 }).map((all) => all.join(', '));
  const insert = fc
    .tuple(clause, rows)
    .map(([or, all]) => `INSERT${or} INTO ${table}(${columns}) VALUES ${all}`);
  // Not with OR REPLACE: what it reads while it deletes by cascade from there, SQLite decides by whether there are triggers.
  const copy = fc
    .tuple(
      fc.constantFrom('', ' OR IGNORE', ' OR FAIL'),
      fc.constantFrom('p', 'c', 'e', 'n'),
      fc.integer({ min: 0, max: 9 }),
    )
    .map(
      ([or, from, shift]) => `INSERT${or} INTO ${table}(id, u, v) SELECT id + ${shift}, u, v FROM ${from}`,
    );
  const upsert = fc
    .tuple(rows, setting(table))
    .map(([all, set]) => `INSERT INTO ${table}(${columns}) VALUES ${all} ON CONFLICT DO UPDATE SET ${set}`);
  const update = fc
    .tuple(clause, setting(table), condition(table))
    .map(([or, set, where]) => `UPDATE${or} ${table} SET ${set}${where}`);
  const remove = condition(table).map((where) => `DELETE FROM ${table}${where}`);
  const returning = update.map((sql) => `${sql} RETURNING *`);
  const common = fc
    .tuple(setting(table), value)
    .map(
      ([set, of]) => `WITH q(x) AS (VALUES (${of})) UPDATE ${table} SET ${set} WHERE v IN (SELECT x FROM q)`,
    );
  return fc.oneof(
    { weight: 4, arbitrary: insert },
    copy,
    { weight: 2, arbitrary: upsert },
    { weight: 6, arbitrary: update },
    { weight: 3, arbitrary: remove },
    returning,
    common,
  );
});

const steer: fc.Arbitrary<RandomStep> = fc.constantFrom(
  { sql: 'BEGIN', kind: 'begin' },
  { sql: 'BEGIN', kind: 'begin' },
  { sql: 'PRAGMA recursive_triggers = 1', kind: 'statement' },
  { sql: 'PRAGMA recursive_triggers = 0', kind: 'statement' },
  { sql: 'COMMIT', kind: 'commit' },
  { sql: 'COMMIT; -- done', kind: 'commit' },
  { sql: '/* off */ ROLLBACK;', kind: 'rollback' },
  { sql: 'SAVEPOINT one', kind: 'savepoint' },
  { sql: 'SAVEPOINT "Two"', kind: 'savepoint' },
  { sql: 'RELEASE ONE', kind: 'release' },
  { sql: 'ROLLBACK TO SAVEPOINT one', kind: 'rollback-to' },
  { sql: "ROLLBACK TRANSACTION TO 'two'", kind: 'rollback-to' },
);

/** Random statements and transactions, on the schema with some of its triggers. */
export const randomRun: fc.Arbitrary<RandomRun> = fc
  .oneof(fc.constant([]), fc.subarray([...RANDOM_TRIGGERS]))
  .chain((triggers) =>
    fc.record({
      triggers: fc.constant(triggers),
      steps: fc.array(
        fc.oneof(
          {
            weight: 6,
            arbitrary: statement.map((sql): RandomStep => ({ sql, kind: 'statement' })),
          },
          { weight: 1, arbitrary: steer },
        ),
        { minLength: 1, maxLength: 25 },
      ),
    }),
  );
