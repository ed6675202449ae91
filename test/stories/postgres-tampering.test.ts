import { createPostgresStore } from '@indelible/postgres';
import { afterAll, beforeAll } from 'vitest';
import { type RawConnection, withRaw } from '../../packages/postgres/test/raw-connection.js';
import { describePostgres, type TestDatabase } from '../../packages/postgres/test/test-postgres.js';
import { TABLES, type TamperedServer, tamperingCases } from './server-tampering.js';

/** Values that no column of these types can hold: no UUID, no bigint, no bytes. */
const REFUSED: readonly unknown[] = ['22P02', '22P03', '22003', '08P01'];

describePostgres('tampering', ({ createDatabase }) => {
  let database: TestDatabase;
  const openStore = () => createPostgresStore({ url: database.url, roles: false });
  beforeAll(async () => {
    database = await createDatabase();
    const store = openStore();
    await store.migrate();
    await store.close();
    await withRaw(database.url, loosen);
  });
  afterAll(() => database.drop());

  tamperingCases({
    name: 'PostgreSQL',
    openStore,
    fill: (rowsOf) => withRaw(database.url, (raw) => fill(raw, rowsOf)),
    rows: () =>
      withRaw(database.url, async (raw) => {
        const all: unknown[] = [];
        for (const table of TABLES)
          all.push(await raw.all(`SELECT * FROM audit.${table} ORDER BY log, ${table}`));
        return all;
      }),
    isRefusal: (error) => error instanceof Error && 'code' in error && REFUSED.includes(error.code),
  });
});

/** Takes away what stands between an owner and any rows at all. */
async function loosen(raw: RawConnection): Promise<void> {
  for (const table of TABLES) {
    await raw.all(`ALTER TABLE audit.${table} DISABLE TRIGGER ALL`);
    await raw.all(`DO $$ DECLARE c record; BEGIN
      FOR c IN SELECT conname FROM pg_constraint WHERE conrelid = 'audit.${table}'::regclass AND contype IN ('p', 'u') LOOP
        EXECUTE format('ALTER TABLE audit.${table} DROP CONSTRAINT %I', c.conname); END LOOP;
      FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'audit.${table}'::regclass AND attnum > 0 AND attnotnull LOOP
        EXECUTE format('ALTER TABLE audit.${table} ALTER COLUMN %I DROP NOT NULL', c.attname); END LOOP; END $$`);
  }
}

async function fill(raw: RawConnection, rowsOf: Parameters<TamperedServer['fill']>[0]): Promise<void> {
  await raw.all('BEGIN; SET LOCAL session_replication_role = replica');
  await raw.all(
    TABLES.map((table) => `ALTER TABLE audit.${table} DISABLE TRIGGER ALL; DELETE FROM audit.${table}`).join(
      ';',
    ),
  );
  for (const table of TABLES) {
    for (const row of rowsOf(table)) {
      const names = Object.keys(row);
      const places = names.map((_, at) => `$${at + 1}`).join(', ');
      await raw.all(
        `INSERT INTO audit.${table} (${names.join(', ')}) VALUES (${places})`,
        Object.values(row),
      );
    }
  }
  await raw.all('COMMIT');
}
