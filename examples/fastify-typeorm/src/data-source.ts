import { auditDataSource } from '@indelible/typeorm';
import Database from 'libsql';
import { DataSource } from 'typeorm';
import { Book, Loan, Reader } from './entities.js';

/** On SQLite without a compiler: libsql has the API of better-sqlite3. */
export function createDataSource(file: string): DataSource {
  return auditDataSource(
    new DataSource({
      type: 'better-sqlite3',
      driver: Database,
      database: file,
      entities: [Book, Reader, Loan],
      synchronize: true,
    }),
  );
}
