import {
  andMariaDb,
  asElsewhere,
  everywhere,
  onMariaDb,
  onPostgres,
  onSqlite,
  PEOPLE,
  type RecordedOperation,
} from './recorded-operation.js';

const PARTITIONED = `CREATE TABLE visit(id INTEGER, place TEXT, note TEXT, PRIMARY KEY (id, place)) PARTITION BY LIST (place);
  CREATE TABLE visit_a PARTITION OF visit FOR VALUES IN ('a');
  CREATE TABLE visit_b(note TEXT, place TEXT NOT NULL, id INTEGER NOT NULL);
  ALTER TABLE visit ATTACH PARTITION visit_b FOR VALUES IN ('b');
  INSERT INTO visit VALUES (1, 'a', 'x'), (2, 'b', 'y');`;
const PARTITIONED_MARIADB = `CREATE TABLE visit(id INTEGER, place INTEGER, note TEXT, PRIMARY KEY (id, place))
  PARTITION BY LIST (place) (PARTITION a VALUES IN (1), PARTITION b VALUES IN (2));
  INSERT INTO visit VALUES (1, 1, 'x'), (2, 2, 'y');`;
const INHERITED = `${PEOPLE} CREATE TABLE nurse(ward TEXT) INHERITS (person);
  INSERT INTO nurse VALUES (5, 'Eve', 30, 'north');`;
const KEYLESS = "CREATE TABLE note(person INTEGER, text TEXT); INSERT INTO note VALUES (1, 'x'), (2, 'y');";

/** Of the same name in another schema, by way of a connection of the server to itself. */
const FOREIGN = `CREATE SCHEMA far; CREATE TABLE far.note(person INTEGER, text TEXT);
  INSERT INTO far.note VALUES (1, 'x'), (2, 'y'); CREATE EXTENSION postgres_fdw;
  DO $$ BEGIN
    EXECUTE format('CREATE SERVER self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
      '127.0.0.1', current_setting('port'), current_database());
    EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER self OPTIONS (user %L, password %L)', current_user, 'postgres');
  END $$;
  CREATE FOREIGN TABLE note(person INTEGER, text TEXT) SERVER self OPTIONS (schema_name 'far');`;
const LATE_KEY = `CREATE TABLE seat(id INTEGER PRIMARY KEY DEFERRABLE, taken INTEGER);
  INSERT INTO seat VALUES (1, 0), (2, 1), (3, 0);`;

/** What a table can be. */
export const tableOperations: readonly RecordedOperation[] = [
  everywhere('table without a key: INSERT', KEYLESS, "INSERT INTO note VALUES (3, 'z')"),
  everywhere('table without a key: UPDATE', KEYLESS, "UPDATE note SET text = 'changed' WHERE person = 1"),
  everywhere('table without a key: DELETE', KEYLESS, 'DELETE FROM note WHERE person = 1'),
  andMariaDb(
    asElsewhere(
      'table with a composite key',
      "CREATE TABLE seat(row INTEGER, place TEXT, taken INTEGER, PRIMARY KEY (row, place)); INSERT INTO seat VALUES (1, 'a', 0), (1, 'b', 0);",
      "UPDATE seat SET taken = 1, place = 'c' WHERE place = 'b'",
    ),
    "CREATE TABLE seat(number INTEGER, place VARCHAR(9), taken INTEGER, PRIMARY KEY (number, place)); INSERT INTO seat VALUES (1, 'a', 0), (1, 'b', 0);",
    "UPDATE seat SET taken = 1, place = 'c' WHERE place = 'b'",
  ),
  andMariaDb(
    asElsewhere(
      'stored generated column',
      'CREATE TABLE sum(id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO sum(id, a) VALUES (1, 1);',
      'UPDATE sum SET a = 5',
    ),
    'CREATE TABLE total(id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO total(id, a) VALUES (1, 1);',
    'UPDATE total SET a = 5',
  ),
  {
    name: 'virtual generated column',
    sqlite: {
      schema:
        'CREATE TABLE sum(id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER AS (a * 2)); INSERT INTO sum(id, a) VALUES (1, 1);',
      run: ['UPDATE sum SET a = 5'],
    },
    mariadb: {
      schema:
        'CREATE TABLE total(id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER AS (a * 2)); INSERT INTO total(id, a) VALUES (1, 1);',
      run: ['UPDATE total SET a = 5'],
    },
    postgres: {
      since: 18,
      schema:
        'CREATE TABLE sum(id INTEGER PRIMARY KEY, a INTEGER, twice INTEGER GENERATED ALWAYS AS (a * 2) VIRTUAL); INSERT INTO sum(id, a) VALUES (1, 1);',
      run: ['UPDATE sum SET a = 5'],
    },
  },
  {
    name: 'key that the database generates',
    sqlite: {
      schema: 'CREATE TABLE item(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);',
      run: ["INSERT INTO item(name) VALUES ('x'), ('y')"],
    },
    mariadb: {
      schema: 'CREATE TABLE item(id INTEGER AUTO_INCREMENT PRIMARY KEY, name TEXT);',
      run: ["INSERT INTO item(name) VALUES ('x'), ('y')"],
    },
    postgres: {
      schema: 'CREATE TABLE item(id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT);',
      run: ["INSERT INTO item(name) VALUES ('x'), ('y')"],
    },
  },
  onPostgres('key that is checked late', LATE_KEY, 'UPDATE seat SET id = id + 1'),
  onPostgres(
    'key that is checked late, and rows exchange theirs',
    LATE_KEY,
    'UPDATE seat SET id = 3 - id WHERE id < 3',
  ),
  andMariaDb(
    onPostgres('partitioned table', PARTITIONED, "UPDATE visit SET note = 'z'"),
    PARTITIONED_MARIADB,
    "UPDATE visit SET note = 'z'",
  ),
  andMariaDb(
    onPostgres(
      'partitioned table: a row that moves',
      PARTITIONED,
      "UPDATE visit SET place = 'b' WHERE id = 1",
    ),
    PARTITIONED_MARIADB,
    'UPDATE visit SET place = 2 WHERE id = 1',
  ),
  onPostgres('partition by its own name', PARTITIONED, "UPDATE visit_b SET note = 'z'"),
  onPostgres('TRUNCATE of a partitioned table', PARTITIONED, 'TRUNCATE visit'),
  onPostgres(
    'table with children by inheritance: INSERT',
    INHERITED,
    "INSERT INTO person VALUES (6, 'Flo', 20)",
  ),
  onPostgres('table with children by inheritance: UPDATE', INHERITED, 'UPDATE person SET age = 1'),
  onPostgres('table with children by inheritance: DELETE', INHERITED, 'DELETE FROM person WHERE age = 30'),
  onPostgres('table with children by inheritance: TRUNCATE', INHERITED, 'TRUNCATE person'),
  onPostgres('table that inherits', INHERITED, "UPDATE nurse SET ward = 'south'"),
  onPostgres(
    'table in another schema, of a name that exists twice',
    `${PEOPLE} CREATE SCHEMA other; CREATE TABLE other.archive(id INTEGER PRIMARY KEY, name TEXT); INSERT INTO other.archive VALUES (1, 'x');`,
    "UPDATE other.archive SET name = 'y'",
  ),
  onPostgres(
    'unlogged table',
    "CREATE UNLOGGED TABLE cache(id INTEGER PRIMARY KEY, text TEXT); INSERT INTO cache VALUES (1, 'x');",
    "UPDATE cache SET text = 'y'",
  ),
  onMariaDb(
    'table of an engine without transactions',
    "CREATE TABLE cache(id INTEGER PRIMARY KEY, text TEXT) ENGINE = MyISAM; INSERT INTO cache VALUES (1, 'x');",
    "UPDATE cache SET text = 'y'",
  ),
  onMariaDb(
    'system-versioned table',
    "CREATE TABLE cache(id INTEGER PRIMARY KEY, text TEXT) WITH SYSTEM VERSIONING; INSERT INTO cache VALUES (1, 'x');",
    "UPDATE cache SET text = 'y'",
  ),
  onSqlite(
    'WITHOUT ROWID and STRICT tables',
    "CREATE TABLE cache(id INTEGER PRIMARY KEY, text TEXT) STRICT, WITHOUT ROWID; INSERT INTO cache VALUES (1, 'x');",
    "UPDATE cache SET text = 'y'",
  ),
  onSqlite(
    'virtual table (full text)',
    "CREATE VIRTUAL TABLE doc USING fts5(text); INSERT INTO doc VALUES ('x');",
    "INSERT INTO doc VALUES ('y')",
  ),
  onSqlite(
    'virtual table (R-tree)',
    'CREATE VIRTUAL TABLE box USING rtree(id, low, high); INSERT INTO box VALUES (1, 0, 1);',
    'INSERT INTO box VALUES (2, 0, 1)',
  ),
  {
    name: 'attached database',
    sqlite: {
      schema: PEOPLE,
      session: [
        "ATTACH '{directory}/other.db' AS other",
        'CREATE TABLE other.far(id INTEGER PRIMARY KEY, name TEXT)',
      ],
      run: ["INSERT INTO other.far VALUES (1, 'x')"],
    },
  },
  onPostgres('foreign table: INSERT', FOREIGN, "INSERT INTO note VALUES (3, 'z')"),
  onPostgres('foreign table: UPDATE', FOREIGN, "UPDATE note SET text = 'changed' WHERE person = 1"),
  onPostgres('foreign table: DELETE', FOREIGN, 'DELETE FROM note WHERE person = 1'),
  {
    name: 'temporary table',
    sqlite: {
      schema: PEOPLE,
      session: ['CREATE TEMP TABLE scratch(id INTEGER PRIMARY KEY, name TEXT)'],
      run: ["INSERT INTO scratch VALUES (1, 'x')"],
      isLeftAlone: true,
    },
    postgres: {
      schema: PEOPLE,
      session: ['CREATE TEMP TABLE scratch(id INTEGER PRIMARY KEY, name TEXT)'],
      run: ["INSERT INTO scratch VALUES (1, 'x')"],
      isLeftAlone: true,
    },
    mariadb: {
      schema: PEOPLE,
      session: ['CREATE TEMPORARY TABLE scratch(id INTEGER PRIMARY KEY, name TEXT)'],
      run: ["INSERT INTO scratch VALUES (1, 'x')"],
      isLeftAlone: true,
    },
  },
  {
    name: 'schema changes, and what they do to rows',
    sqlite: {
      schema: PEOPLE,
      run: ['ALTER TABLE person DROP COLUMN age', 'DROP TABLE visit'],
      isLeftAlone: true,
    },
    postgres: {
      schema: PEOPLE,
      run: ['ALTER TABLE person DROP COLUMN age', 'DROP TABLE visit'],
      isLeftAlone: true,
    },
    mariadb: {
      schema: PEOPLE,
      run: ['ALTER TABLE person DROP COLUMN age', 'DROP TABLE visit'],
      isLeftAlone: true,
    },
  },
  {
    name: 'CREATE TABLE … AS',
    sqlite: { schema: PEOPLE, run: ['CREATE TABLE copied AS SELECT * FROM person'], isLeftAlone: true },
    postgres: { schema: PEOPLE, run: ['CREATE TABLE copied AS SELECT * FROM person'], isLeftAlone: true },
    mariadb: { schema: PEOPLE, run: ['CREATE TABLE copied AS SELECT * FROM person'], isLeftAlone: true },
  },
];
