import { readdirSync, readFileSync } from 'node:fs';
import Database from 'libsql';

const FOLDER = new URL('../prisma/migrations/', import.meta.url);

/** Brings the file up to the newest of `prisma/migrations/*.sql`; `user_version` counts those that it has. */
export function applyMigrations(file: string): void {
  const database = new Database(file);
  try {
    const migrations = readdirSync(FOLDER)
      .filter((name) => name.endsWith('.sql'))
      .sort();
    const [version] = database.prepare('PRAGMA user_version').pluck().all().map(Number);
    if (version === undefined) throw new Error(`${file} has no user_version`);
    migrations.slice(version).forEach((name, offset) => {
      const sql = readFileSync(new URL(name, FOLDER), 'utf8');
      database.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${version + offset + 1}; COMMIT`);
    });
  } finally {
    database.close();
  }
}
