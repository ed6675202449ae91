import { createMysqlStore } from '@indelible/mysql';
import { afterAll, beforeAll } from 'vitest';
import { type RawConnection, text, withRaw } from '../../packages/mysql/test/raw-connection.js';
import { describeMysql, type TestDatabase } from '../../packages/mysql/test/test-mysql.js';
import { TABLES, type TamperedServer, tamperingCases } from './server-tampering.js';

/** Values that no column of these types can hold: no whole number, not ASCII, too long, nothing where a key was. */
const REFUSED: readonly unknown[] = [1264, 1265, 1366, 1406];

/** A whole number is made of it without an error, which is another tampering. */
class Rounded extends Error {}

describeMysql('tampering', ({ createDatabase }) => {
  let database: TestDatabase;
  const openStore = () => createMysqlStore({ url: database.url });
  beforeAll(async () => {
    database = await createDatabase();
    const store = openStore();
    await store.migrate();
    await store.close();
    await withRaw(database.url, loosen);
  });
  afterAll(() => database.drop());

  tamperingCases({
    name: 'MySQL',
    openStore,
    fill: (rowsOf) => withRaw(database.url, (raw) => fill(raw, rowsOf)),
    rows: () =>
      withRaw(database.url, async (raw) => {
        const all: unknown[] = [];
        for (const table of TABLES) {
          const rows = await raw.all(`SELECT * FROM ${table}`);
          all.push(rows.map((row) => JSON.stringify(row)).sort());
        }
        return all;
      }),
    isRefusal: (error) =>
      error instanceof Rounded ||
      (error instanceof Error && 'errno' in error && REFUSED.includes(error.errno)),
  });
});

/** Takes away what stands between an owner and any rows at all. */
async function loosen(raw: RawConnection): Promise<void> {
  await raw.all('DROP TABLE audit_guard');
  for (const { name } of await raw.all(
    'SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = DATABASE()',
  )) {
    await raw.all(`DROP TRIGGER ${text(name)}`);
  }
  await raw.all('ALTER TABLE audit_entry DROP KEY audit_entry_event');
  for (const table of TABLES) {
    await raw.all(`ALTER TABLE ${table} DROP PRIMARY KEY`);
    const columns = await raw.all(
      `SELECT column_name AS name, column_type AS type, CONCAT('CHARACTER SET ', character_set_name, ' COLLATE ', collation_name) AS texts
        FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = ? AND is_nullable = 'NO' AND extra NOT LIKE '%GENERATED%'`,
      [table],
    );
    for (const { name, type, texts } of columns)
      await raw.all(`ALTER TABLE ${table} MODIFY ${text(name)} ${text(type)} ${texts ?? ''} NULL`);
  }
}

async function fill(raw: RawConnection, rowsOf: Parameters<TamperedServer['fill']>[0]): Promise<void> {
  await raw.all("SET sql_mode = 'STRICT_ALL_TABLES'; START TRANSACTION");
  for (const table of TABLES) await raw.all(`DELETE FROM ${table}`);
  for (const table of TABLES) {
    for (const row of rowsOf(table)) {
      const names = Object.keys(row).map((name) => (name === 'range' ? 'compact_range' : name));
      const places = names.map(() => '?').join(', ');
      const isRounded = Object.values(row).some((value) => typeof value === 'number' && value % 1 !== 0);
      if (isRounded) throw new Rounded();
      await raw.all(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`, Object.values(row));
    }
  }
  await raw.all('COMMIT');
}
