import { onMariaDb, onPostgres, PEOPLE, type RecordedOperation } from './recorded-operation.js';

function trigger(when: string, body: string, more = ''): string {
  return `${PEOPLE} CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$;
    CREATE ${when} EXECUTE FUNCTION act(); ${more}`;
}

/** A table of people who refer to each other, and one that refers to them. */
function family(action: string, isMariaDb = false): string {
  const refers = (column: string): string =>
    isMariaDb ? `, FOREIGN KEY (${column}) REFERENCES person(id) ${action}` : '';
  const inline = isMariaDb ? '' : `REFERENCES person(id) ${action}`;
  return `CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT, parent INTEGER ${inline}${refers('parent')});
    CREATE TABLE visit(id INTEGER PRIMARY KEY, person INTEGER DEFAULT 3 ${inline}, note TEXT${refers('person')});
    INSERT INTO person VALUES (1, 'Ada', NULL), (2, 'Bo', 1), (3, 'Cy', NULL), (4, 'Di', 2);
    INSERT INTO visit VALUES (10, 1, 'x'), (11, 2, 'y'), (12, 3, 'z'), (13, 4, 'w');`;
}

function byForeignKey(name: string, action: string, sql: string): RecordedOperation {
  const way = { schema: family(action), run: [sql] };
  const operation = { name, sqlite: { ...way, session: ['PRAGMA foreign_keys = ON'] }, postgres: way };
  // InnoDB has no SET DEFAULT, and no ON UPDATE CASCADE of a table that refers to itself.
  if (/DEFAULT|UPDATE/.test(action)) return operation;
  return { ...operation, mariadb: { schema: family(action, true), run: [sql] } };
}

const ELSEWHERE = `INSERT INTO visit VALUES (NEW.id + 100, NEW.id, 'by a trigger');`;
const VIEW = `${PEOPLE} CREATE VIEW adult AS SELECT id, name FROM person WHERE age > 17;`;

/** What happens beyond the rows that a statement names. */
export const effectOperations: readonly RecordedOperation[] = [
  byForeignKey('ON DELETE CASCADE, to any depth', 'ON DELETE CASCADE', 'DELETE FROM person WHERE id = 1'),
  byForeignKey('ON DELETE SET NULL', 'ON DELETE SET NULL', 'DELETE FROM person WHERE id < 3'),
  byForeignKey('ON DELETE SET DEFAULT', 'ON DELETE SET DEFAULT', 'DELETE FROM person WHERE id = 4'),
  byForeignKey(
    'change of a key with ON UPDATE CASCADE',
    'ON UPDATE CASCADE',
    'UPDATE person SET id = id + 100 WHERE id < 3',
  ),
  onMariaDb(
    'ON UPDATE CASCADE from another table',
    `CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT);
      CREATE TABLE visit(id INTEGER PRIMARY KEY, person INTEGER, FOREIGN KEY (person) REFERENCES person(id) ON UPDATE CASCADE);
      INSERT INTO person VALUES (1, 'Ada'), (2, 'Bo'); INSERT INTO visit VALUES (10, 1), (11, 2);`,
    'UPDATE person SET id = id + 100 WHERE id < 3',
  ),
  {
    name: 'MERGE into a table with cascades',
    postgres: {
      schema: family('ON DELETE CASCADE'),
      run: ['MERGE INTO person USING (VALUES (1)) AS s(id) ON person.id = s.id WHEN MATCHED THEN DELETE'],
    },
  },
  onPostgres(
    'writes inside of WITH, into tables with cascades',
    family('ON DELETE CASCADE'),
    "WITH gone AS (DELETE FROM person WHERE id = 4 RETURNING *) UPDATE visit SET note = 'late' WHERE person < 4",
  ),
  onPostgres(
    'writes inside of WITH, where one finds the rows of another whose cascades it is about',
    family('ON DELETE CASCADE'),
    "WITH up AS (UPDATE visit SET note = 'up' WHERE id = 13 RETURNING person) DELETE FROM person WHERE id IN (SELECT person FROM up)",
  ),
  {
    name: 'trigger that edits the row in hand',
    mariadb: {
      schema: `${PEOPLE} CREATE TRIGGER edits BEFORE UPDATE ON person FOR EACH ROW SET NEW.name = UPPER(NEW.name);`,
      run: ['UPDATE person SET age = 1 WHERE id = 1'],
    },
    sqlite: {
      schema: `${PEOPLE} CREATE TRIGGER edits AFTER UPDATE OF age ON person
        BEGIN UPDATE person SET name = upper(name) WHERE id = NEW.id; END;`,
      run: ['UPDATE person SET age = 1 WHERE id = 1'],
    },
    postgres: {
      schema: trigger(
        'TRIGGER edits BEFORE UPDATE ON person FOR EACH ROW',
        'NEW.name := upper(NEW.name); RETURN NEW;',
      ),
      run: ['UPDATE person SET age = 1 WHERE id = 1'],
    },
  },
  {
    name: 'trigger that passes over rows',
    sqlite: {
      schema: `${PEOPLE} CREATE TRIGGER passes BEFORE UPDATE ON person WHEN OLD.id = 2 BEGIN SELECT RAISE(IGNORE); END;`,
      run: ['UPDATE person SET age = 1'],
    },
    postgres: {
      schema: trigger(
        'TRIGGER passes BEFORE UPDATE ON person FOR EACH ROW',
        'IF OLD.id = 2 THEN RETURN NULL; END IF; RETURN NEW;',
      ),
      run: ['UPDATE person SET age = 1'],
    },
  },
  {
    name: 'trigger that writes other rows',
    mariadb: {
      schema: `${PEOPLE} CREATE TRIGGER writes AFTER UPDATE ON person FOR EACH ROW INSERT INTO visit VALUES (NEW.id + 100, NEW.id, 'by a trigger');`,
      run: ['UPDATE person SET age = 1 WHERE id = 1'],
    },
    sqlite: {
      schema: `${PEOPLE} CREATE TRIGGER writes AFTER UPDATE ON person BEGIN ${ELSEWHERE} END;`,
      run: ['UPDATE person SET age = 1 WHERE id = 1'],
    },
    postgres: {
      schema: trigger('TRIGGER writes AFTER UPDATE ON person FOR EACH ROW', `${ELSEWHERE} RETURN NULL;`),
      run: ['UPDATE person SET age = 1 WHERE id = 1'],
    },
  },
  {
    name: 'trigger that fires another one',
    mariadb: {
      schema: `${PEOPLE} CREATE TABLE note(id INTEGER PRIMARY KEY); CREATE TRIGGER one AFTER DELETE ON person FOR EACH ROW DELETE FROM visit WHERE person = OLD.id; CREATE TRIGGER two AFTER DELETE ON visit FOR EACH ROW INSERT INTO note VALUES (OLD.id);`,
      run: ['DELETE FROM person WHERE id = 1'],
    },
    sqlite: {
      schema: `${PEOPLE} CREATE TRIGGER one AFTER DELETE ON person BEGIN DELETE FROM visit WHERE person = OLD.id; END;
        CREATE TRIGGER two AFTER DELETE ON visit BEGIN UPDATE person SET age = age + 1 WHERE id = 3; END;`,
      run: ['DELETE FROM person WHERE id = 1'],
    },
    postgres: {
      schema: `${trigger('TRIGGER one AFTER DELETE ON person FOR EACH ROW', 'DELETE FROM visit WHERE person = OLD.id; RETURN NULL;')}
        CREATE FUNCTION grow() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN UPDATE person SET age = age + 1 WHERE id = 3; RETURN NULL; END $$;
        CREATE TRIGGER two AFTER DELETE ON visit FOR EACH ROW EXECUTE FUNCTION grow();`,
      run: ['DELETE FROM person WHERE id = 1'],
    },
  },
  onPostgres(
    'trigger for each statement that writes',
    trigger(
      'TRIGGER writes AFTER UPDATE ON person REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT',
      "INSERT INTO visit SELECT id + 100, id, 'by a trigger' FROM fresh; RETURN NULL;",
    ),
    'UPDATE person SET age = 1 WHERE id = 1',
  ),
  onPostgres(
    'deferred constraint trigger that writes',
    trigger(
      'CONSTRAINT TRIGGER writes AFTER UPDATE ON person DEFERRABLE INITIALLY DEFERRED FOR EACH ROW',
      `${ELSEWHERE} RETURN NULL;`,
    ),
    'BEGIN',
    'UPDATE person SET age = 1 WHERE id = 1',
    'COMMIT',
  ),
  onPostgres(
    'trigger that writes, on a table that a cascade reaches',
    `${family('ON DELETE CASCADE')} CREATE TABLE note(id INTEGER PRIMARY KEY, about TEXT);
      CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO note VALUES (OLD.id, 'gone'); RETURN OLD; END $$;
      CREATE TRIGGER writes AFTER DELETE ON visit FOR EACH ROW EXECUTE FUNCTION act();`,
    'DELETE FROM person WHERE id = 4',
  ),
  {
    ...onPostgres(
      'view that the database writes through',
      VIEW,
      "UPDATE adult SET name = 'Eve' WHERE id = 1",
    ),
    mariadb: { schema: VIEW, run: ["UPDATE adult SET name = 'Eve' WHERE id = 1"] },
  },
  onPostgres(
    'view that leaves the key of its table out',
    `${PEOPLE} CREATE VIEW named AS SELECT name FROM person;`,
    "UPDATE named SET name = 'Eve'",
  ),
  {
    name: 'view with an INSTEAD OF trigger',
    sqlite: {
      schema: `${VIEW} CREATE TRIGGER instead INSTEAD OF UPDATE ON adult
        BEGIN UPDATE person SET name = NEW.name WHERE id = OLD.id; END;`,
      run: ["UPDATE adult SET name = 'Eve' WHERE id = 1"],
    },
    postgres: {
      schema: `${VIEW} CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN UPDATE person SET name = NEW.name WHERE id = OLD.id; RETURN NEW; END $$;
        CREATE TRIGGER instead INSTEAD OF UPDATE ON adult FOR EACH ROW EXECUTE FUNCTION act();`,
      run: ["UPDATE adult SET name = 'Eve' WHERE id = 1"],
    },
  },
  onPostgres(
    'rule that does something more',
    `${PEOPLE} CREATE RULE keeps AS ON DELETE TO person DO ALSO INSERT INTO visit VALUES (OLD.id + 100, OLD.id, 'gone');`,
    'DELETE FROM person WHERE id = 1',
  ),
  onPostgres(
    'rule that does something else',
    `${PEOPLE} CREATE RULE hides AS ON DELETE TO person DO INSTEAD UPDATE person SET age = NULL WHERE id = OLD.id;`,
    'DELETE FROM person WHERE id = 1',
  ),
  onPostgres(
    'row-level security: UPDATE and DELETE by a condition',
    rowSecurity(),
    "UPDATE person SET name = 'Eve' WHERE id = 1",
  ),
  onPostgres('row-level security: INSERT', rowSecurity(), "INSERT INTO person VALUES (4, 'Di', 20)"),
  onPostgres(
    'row-level security: INSERT of a row that the role may not read',
    rowSecurity('WITH CHECK (true)'),
    "INSERT INTO person VALUES (4, 'Di', 40)",
  ),
  onPostgres(
    'row-level security: INSERT … RETURNING',
    rowSecurity(),
    "INSERT INTO person VALUES (4, 'Di', 20) RETURNING id",
  ),
  onPostgres(
    'columns that the role may not read',
    `${PEOPLE} GRANT SELECT (id, name), UPDATE ON person TO {role};`,
    "UPDATE person SET name = 'Eve', age = 1 WHERE id = 1",
  ),
  onPostgres(
    'table that the role may not read',
    `${PEOPLE} GRANT INSERT ON person TO {role};`,
    "INSERT INTO person VALUES (4, 'Di', 20)",
  ),
].map(asRole);

function rowSecurity(check = ''): string {
  return `${PEOPLE} ALTER TABLE person ENABLE ROW LEVEL SECURITY;
    CREATE POLICY young ON person USING (age < 35) ${check}; GRANT SELECT, INSERT, UPDATE, DELETE ON person TO {role};`;
}

/** Where the schema grants something, the operation is done by whom it is granted to. */
function asRole(operation: RecordedOperation): RecordedOperation {
  const { postgres } = operation;
  if (postgres === undefined || !postgres.schema.includes('TO {role}')) return operation;
  return { ...operation, postgres: { ...postgres, session: ['SET ROLE {role}'] } };
}
