import { tryLoadBetterSqlite3 } from '../../../prisma/test/sqlite-libraries.js';
import type { LibraryKind } from './sqlite-harness.js';

/** The libraries that can run here. Says loudly which one can not; where CI runs, scripts/required-suites.json demands both. */
export function sqliteKinds(): readonly LibraryKind[] {
  if (tryLoadBetterSqlite3() !== undefined) return ['libsql', 'better-sqlite3'];
  process.stderr.write(
    '\nDID NOT RUN: TypeORM on SQLite through better-sqlite3. Run `node scripts/compile-better-sqlite3.mjs` first.\n\n',
  );
  return ['libsql'];
}
