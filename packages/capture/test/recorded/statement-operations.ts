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

const BY_EXPRESSION = `${PEOPLE} CREATE UNIQUE INDEX one_name ON person(lower(name));`;
const AGE_ALL = `${PEOPLE} CREATE FUNCTION age_all() RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN UPDATE person SET age = age + 1; RETURN 1; END $$;`;
const AGE_ALL_MARIADB = `${PEOPLE} CREATE FUNCTION age_all() RETURNS INTEGER BEGIN UPDATE person SET age = age + 1; RETURN 1; END;`;
const GROW = `CREATE FUNCTION pg_temp.grow() RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN UPDATE person SET age = age + 1; END $$`;
const UPSERT = `INSERT INTO person(id, name) VALUES (1, 'new'), (9, 'Flo')
  ON CONFLICT (id) DO UPDATE SET name = excluded.name`;
const MERGE = `MERGE INTO person USING (VALUES (1, 'new'), (2, NULL), (9, 'Flo')) AS s(id, name) ON person.id = s.id
  WHEN MATCHED AND s.name IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET name = s.name
  WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)`;

/** What a statement can look like. */
export const statementOperations: readonly RecordedOperation[] = [
  everywhere('INSERT of many rows', PEOPLE, "INSERT INTO person(id, name) VALUES (4, 'Di'), (5, 'Ed')"),
  everywhere('INSERT … SELECT', PEOPLE, 'INSERT INTO person SELECT id + 10, name, age FROM person'),
  everywhere('UPDATE of many rows, by expressions', PEOPLE, 'UPDATE person SET age = age + 1 WHERE age > 30'),
  andMariaDb(
    asElsewhere(
      'UPDATE … FROM',
      PEOPLE,
      'UPDATE person SET name = visit.note FROM visit WHERE visit.person = person.id AND visit.id > 10',
    ),
    PEOPLE,
    'UPDATE person JOIN visit ON visit.person = person.id AND visit.id > 10 SET person.name = visit.note',
  ),
  andMariaDb(
    asElsewhere(
      'UPDATE of rows that a subquery with LIMIT chooses',
      PEOPLE,
      "UPDATE person SET name = 'chosen' WHERE id IN (SELECT id FROM person ORDER BY age DESC LIMIT 2)",
    ),
    PEOPLE,
    "UPDATE person SET name = 'chosen' ORDER BY age DESC LIMIT 2",
  ),
  asElsewhere(
    'UPDATE that assigns columns one by one and some as a row',
    PEOPLE,
    "UPDATE person SET age = 31, (name, id) = ('Eve', 21) WHERE id = 1",
  ),
  asElsewhere(
    'UPDATE that assigns columns as a row only',
    PEOPLE,
    "UPDATE person SET (age, name) = (31, 'Eve') WHERE id = 1",
  ),
  onPostgres(
    'UPDATE that assigns DEFAULT, or a part of an array, only',
    PEOPLE,
    'UPDATE person SET age = DEFAULT WHERE id = 1',
  ),
  onPostgres(
    'the same, of all columns but the key',
    PEOPLE,
    "UPDATE person SET (age, name) = (SELECT 31, 'Eve') WHERE id = 1",
  ),
  everywhere('UPDATE of the primary key', PEOPLE, 'UPDATE person SET id = id + 100 WHERE id > 1'),
  everywhere('DELETE of many rows', PEOPLE, 'DELETE FROM person WHERE age > 30'),
  andMariaDb(
    onPostgres(
      'DELETE … USING',
      PEOPLE,
      'DELETE FROM visit USING person WHERE visit.person = person.id AND age < 35',
    ),
    PEOPLE,
    'DELETE visit FROM visit JOIN person ON visit.person = person.id WHERE age < 35',
  ),
  andMariaDb(
    asElsewhere('upsert, by the branch that ran', PEOPLE, UPSERT),
    PEOPLE,
    "INSERT INTO person(id, name) VALUES (1, 'new'), (9, 'Flo') ON DUPLICATE KEY UPDATE name = VALUES(name)",
  ),
  andMariaDb(
    asElsewhere(
      'INSERT … ON CONFLICT DO NOTHING',
      PEOPLE,
      "INSERT INTO person(id, name) VALUES (1, 'new'), (9, 'Flo') ON CONFLICT DO NOTHING",
    ),
    PEOPLE,
    "INSERT IGNORE INTO person(id, name) VALUES (1, 'new'), (9, 'Flo')",
  ),
  andMariaDb(
    onSqlite('REPLACE', PEOPLE, "REPLACE INTO person(id, name) VALUES (1, 'new'), (9, 'Flo')"),
    PEOPLE,
    "REPLACE INTO person(id, name) VALUES (1, 'new'), (9, 'Flo')",
  ),
  onSqlite(
    'REPLACE where a unique index is on an expression',
    BY_EXPRESSION,
    "REPLACE INTO person(id, name) VALUES (9, 'ADA')",
  ),
  {
    name: 'UPDATE … WHERE CURRENT OF a cursor',
    postgres: {
      schema: PEOPLE,
      run: [
        'BEGIN',
        'DECLARE c CURSOR FOR SELECT * FROM person ORDER BY id FOR UPDATE',
        'FETCH 2 FROM c',
        "UPDATE person SET name = 'current' WHERE CURRENT OF c",
        'COMMIT',
      ],
    },
  },
  andMariaDb(onPostgres('TRUNCATE', PEOPLE, 'TRUNCATE person, visit'), PEOPLE, 'TRUNCATE person'),
  onPostgres(
    'TRUNCATE … CASCADE',
    `${PEOPLE} ALTER TABLE visit ADD FOREIGN KEY (person) REFERENCES person;`,
    'TRUNCATE person CASCADE',
  ),
  onPostgres('MERGE', PEOPLE, MERGE),
  onMariaDb(
    'UPDATE of several tables',
    PEOPLE,
    "UPDATE person JOIN visit ON visit.person = person.id SET age = 1, note = 'n'",
  ),
  onMariaDb(
    'DELETE of several tables',
    PEOPLE,
    'DELETE person, visit FROM person JOIN visit ON visit.person = person.id',
  ),
  onMariaDb('INSERT … SET', PEOPLE, "INSERT INTO person SET id = 4, name = 'Di'"),
  onMariaDb('INSERT … RETURNING', PEOPLE, "INSERT INTO person(id, name) VALUES (4, 'Di') RETURNING id"),
  asElsewhere(
    'WITH in front of a write',
    PEOPLE,
    'WITH old AS (SELECT id FROM person WHERE age > 35) UPDATE person SET age = 0 WHERE id IN (SELECT id FROM old)',
  ),
  onPostgres(
    'write inside of WITH',
    PEOPLE,
    'WITH gone AS (DELETE FROM visit WHERE id = 10 RETURNING *) INSERT INTO person SELECT id, note FROM gone',
  ),
  onPostgres(
    'write inside of WITH, whose columns have no names in its text',
    PEOPLE,
    'WITH gone AS (DELETE FROM visit WHERE id = 10 RETURNING id + 1) SELECT * FROM gone',
  ),
  andMariaDb(
    onPostgres(
      'several statements in one string',
      PEOPLE,
      'UPDATE person SET age = 1; DELETE FROM visit WHERE id = 10',
    ),
    PEOPLE,
    'UPDATE person SET age = 1; DELETE FROM visit WHERE id = 10',
  ),
  onPostgres(
    'several statements in one string, with TRUNCATE, DO or a change of the schema',
    PEOPLE,
    'UPDATE person SET age = 1; TRUNCATE visit',
  ),
  onPostgres(
    'several statements in one string, with BEGIN and COMMIT',
    PEOPLE,
    'BEGIN; UPDATE person SET age = 1; COMMIT',
  ),
  andMariaDb(
    onPostgres('EXPLAIN ANALYZE of a write', PEOPLE, 'EXPLAIN ANALYZE UPDATE person SET age = 1'),
    PEOPLE,
    'ANALYZE UPDATE person SET age = 1',
  ),
  {
    name: 'EXECUTE of a statement that SQL has prepared',
    postgres: {
      schema: PEOPLE,
      session: ['PREPARE grow(integer) AS UPDATE person SET age = $1'],
      run: ['EXECUTE grow(7)'],
    },
    mariadb: {
      schema: PEOPLE,
      session: ["PREPARE grow FROM 'UPDATE person SET age = ?'"],
      run: ['EXECUTE grow USING 7'],
    },
  },
  onPostgres('COPY … FROM', PEOPLE, "COPY person FROM PROGRAM 'printf ''7\\tGus\\t70\\n'''"),
  onPostgres(
    'COPY … TO of what a write returns',
    PEOPLE,
    "COPY (DELETE FROM visit RETURNING *) TO PROGRAM 'cat > /dev/null'",
  ),
  onPostgres('SELECT … INTO a new table', PEOPLE, 'SELECT * INTO copied FROM person'),
  andMariaDb(
    onPostgres('DO', PEOPLE, 'DO $$ BEGIN UPDATE person SET age = age + 1; END $$'),
    PEOPLE,
    'BEGIN NOT ATOMIC UPDATE person SET age = age + 1; END',
  ),
  andMariaDb(
    onPostgres(
      'CALL of a procedure',
      `${PEOPLE} CREATE PROCEDURE grow() LANGUAGE sql AS 'UPDATE person SET age = age + 1';`,
      'CALL grow()',
    ),
    `${PEOPLE} CREATE PROCEDURE grow() UPDATE person SET age = age + 1;`,
    'CALL grow()',
  ),
  andMariaDb(
    onPostgres('function that writes, called by SELECT', AGE_ALL, 'SELECT age_all()'),
    AGE_ALL_MARIADB,
    'SELECT age_all()',
  ),
  andMariaDb(
    onPostgres(
      'function that writes, called by an UPDATE',
      AGE_ALL,
      "UPDATE visit SET note = 'n' || age_all() WHERE id = 10",
    ),
    AGE_ALL_MARIADB,
    "UPDATE visit SET note = CONCAT('n', age_all()) WHERE id = 10",
  ),
  onPostgres(
    'function that calls one that writes',
    `${AGE_ALL} CREATE FUNCTION outermost() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN age_all(); END';`,
    'SELECT outermost()',
  ),
  onPostgres(
    'several queries in one string, of which one calls a function that writes',
    AGE_ALL,
    'SELECT age_all(); SELECT 1',
  ),
  onPostgres(
    'cursor of a query that calls a function that writes',
    AGE_ALL,
    'BEGIN',
    'DECLARE c CURSOR FOR SELECT age_all()',
    'FETCH 1 FROM c',
    'COMMIT',
  ),
  onPostgres(
    'function made and called in one transaction',
    PEOPLE,
    'BEGIN',
    GROW,
    'SELECT pg_temp.grow()',
    'COMMIT',
  ),
  onPostgres('function made and called in one string', PEOPLE, `${GROW}; SELECT pg_temp.grow()`),
  onPostgres(
    'query of a view that calls a function that writes',
    `${AGE_ALL} CREATE VIEW grown AS SELECT age_all() AS n;`,
    'SELECT * FROM grown',
  ),
  onPostgres(
    'column of which the default calls a function that writes',
    `${AGE_ALL} ALTER TABLE visit ALTER COLUMN person SET DEFAULT age_all();`,
    "INSERT INTO visit(id, note) VALUES (20, 'by default')",
  ),
  {
    name: 'more rows in one statement than `maxRows`',
    sqlite: { schema: PEOPLE, options: { maxRows: 2 }, run: ['UPDATE person SET age = 1'] },
    postgres: { schema: PEOPLE, options: { maxRows: 2 }, run: ['UPDATE person SET age = 1'] },
    mariadb: { schema: PEOPLE, options: { maxRows: 2 }, run: ['UPDATE person SET age = 1'] },
  },
  {
    name: 'more rows by TRUNCATE than `maxRows`',
    postgres: { schema: PEOPLE, options: { maxRows: 2 }, run: ['TRUNCATE person'] },
  },
];
