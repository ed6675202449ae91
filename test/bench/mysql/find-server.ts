import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import mysql, { type RowDataPacket } from 'mysql2/promise';

const SCHEMA = fileURLToPath(new URL('../../mysql/prisma/schema.sql', import.meta.url));

export interface BenchDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

export interface BenchServer {
  /** For the report: version, where it is, and whether it waits for the disk. */
  readonly label: string;
  /** A new database with the tables of the benchmark. */
  createDatabase(): Promise<BenchDatabase>;
}

/** The first server that answers: one of INDELIBLE_TEST_MYSQL_URL, or the local one on port 3306. */
export async function tryFindServer(): Promise<BenchServer | undefined> {
  const given = (process.env.INDELIBLE_TEST_MYSQL_URL ?? '').split(/\s+/).filter((url) => url !== '');
  for (const [at, url] of [...given, 'mysql://root@127.0.0.1:3306/'].entries()) {
    const where = at < given.length ? 'that of INDELIBLE_TEST_MYSQL_URL' : 'the local one';
    try {
      const [row] = await runOn(
        url,
        'SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS waits, @@sync_binlog AS syncs, @@log_bin AS logs',
      );
      const binlog = Number(row?.logs) === 0 ? 'no binary log' : `sync_binlog ${String(row?.syncs)}`;
      return {
        label: `${String(row?.version)}, ${where}, innodb_flush_log_at_trx_commit ${String(row?.waits)}, ${binlog}`,
        createDatabase: () => createDatabase(url),
      };
    } catch {
      // The next one may answer.
    }
  }
  return undefined;
}

async function createDatabase(server: string): Promise<BenchDatabase> {
  const name = `indelible_bench_${randomBytes(8).toString('hex')}`;
  await runOn(server, `CREATE DATABASE ${name}`);
  const own = new URL(server);
  own.pathname = `/${name}`;
  await runOn(own.href, readFileSync(SCHEMA, 'utf8'));
  return {
    url: own.href,
    drop: async () => void (await runOn(server, `DROP DATABASE IF EXISTS ${name}`)),
  };
}

export async function runOn(url: string, sql: string): Promise<readonly RowDataPacket[]> {
  const connection = await mysql.createConnection({
    uri: url,
    multipleStatements: true,
    connectTimeout: 3_000,
  });
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return Array.isArray(rows) ? rows : [];
  } finally {
    await connection.end();
  }
}
