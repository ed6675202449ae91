import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions } from '@indelible/capture/conformance';
import { createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll } from 'vitest';
import { readEvents } from '../../../prisma/test/prisma-harness.js';
import { type DatabaseClass, getLibrary, type RawDatabase } from '../../../prisma/test/sqlite-libraries.js';
import { readSqliteSnapshot } from '../../../prisma/test/sqlite-rows.js';
import { type AuditDataSourceOptions, auditDataSource } from '../../src/index.js';
import { createDomain, type Domain } from '../domain-entities.js';
import { TYPEORM_LINKS } from '../domain-links.js';
import { type Audit, createFlows } from '../typeorm-operations.js';

export const HMAC_KEY = 'a test secret of more than thirty-two bytes';
export type LibraryKind = 'libsql' | 'better-sqlite3';

const TYPES = {
  text: 'text',
  keyText: 'varchar',
  float: 'double',
  decimal: { type: 'decimal' },
  bytes: 'blob',
  json: 'simple-json',
  role: 'simple-enum',
  instant: { type: 'datetime' },
  // TypeORM's own default knows whole seconds, and would be that of an update in the same one.
  now: () => "STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')",
} as const;

export interface SqliteHarness extends OrmHarness {
  readonly dataSource: DataSource;
  readonly domain: Domain;
  readonly audit: Audit;
  readonly file: string;
  readonly raw: RawDatabase;
}

export interface SqliteWay {
  readonly kind: LibraryKind;
  /** More for the data source. */
  readonly options?: Partial<DataSourceOptions>;
  /** How the data source is audited. @default `auditDataSource` before it is initialized */
  readonly switchOn?: (dataSource: DataSource, options: AuditDataSourceOptions) => void;
}

/** Makes a fresh database file with the domain's tables, and an audited data source on it. */
export async function createSqliteHarness(
  { kind, options: more = {}, switchOn = auditDataSource }: SqliteWay,
  options: OrmHarnessOptions = {},
): Promise<SqliteHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-typeorm-'));
  const file = join(directory, 'app.db');
  copyFileSync(await getTemplate(kind), file);
  const { Database, driver } = getLibrary(kind);
  const raw = new Database(file);
  const { audited = true, accessPolicy = 'spool', onMissingActor = 'system', ...capture } = options;
  const store = createSqliteStore({ file, driver });
  const audit = createAudit({
    store,
    hmacKey: HMAC_KEY,
    lifecycleEvents: false,
    sealAfterMs: 5,
    policy: { access: accessPolicy },
    onMissingActor,
    spool: { directory: join(directory, 'spool') },
  });
  const domain = createDomain(TYPES);
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: file,
    driver: kind === 'libsql' ? bindingLists(Database) : Database,
    entities: Object.values(domain),
    ...more,
  } as DataSourceOptions);
  if (audited) switchOn(dataSource, { audit, ...capture });
  await dataSource.initialize();
  const counter = countStatements(dataSource);
  const flows = createFlows(dataSource, domain, audit);
  let turn: Promise<unknown> = Promise.resolve();
  return {
    dataSource,
    domain,
    audit,
    file,
    raw,
    ...flows,
    // There is one connection, and TypeORM nests a transaction in the one that is open, whosever it is. An application on SQLite
    // lets them take turns.
    transaction: (work) => {
      const result = turn.then(() => flows.transaction(work));
      turn = result.catch(() => undefined);
      return result;
    },
    events: async () => readEvents(raw),
    snapshot: () => readSqliteSnapshot(raw, TYPEORM_LINKS, { instant: utc }),
    bytes: async () => {
      raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      return Buffer.concat(
        readdirSync(directory)
          .filter((name) => name.startsWith('app.db'))
          .map((name) => readFileSync(join(directory, name))),
      );
    },
    swallowEvents: async () => {
      raw.exec('CREATE TRIGGER hush BEFORE INSERT ON audit_event BEGIN SELECT RAISE(IGNORE); END');
    },
    dropAuditTables: async () => {
      for (const table of ['audit_event', 'audit_pending', 'audit_entry', 'audit_head']) {
        raw.exec(`DROP TABLE IF EXISTS ${table}`);
      }
    },
    countStatements: () => {
      const count = counter.statements;
      counter.statements = 0;
      return count;
    },
    close: async () => {
      await dataSource.destroy();
      await audit.close();
      await store.close();
      raw.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** libsql takes a first value that is NULL for a set of named ones, with auditing and without: it gets a list. */
function bindingLists(Database: DatabaseClass): DatabaseClass {
  return class extends Database {
    override prepare(sql: string): ReturnType<RawDatabase['prepare']> {
      const statement = super.prepare(sql);
      for (const name of ['run', 'all'] as const) {
        const bind: unknown = Reflect.get(statement, name);
        if (typeof bind !== 'function') continue;
        const isList = (params: readonly unknown[]) => params.length === 1 && Array.isArray(params[0]);
        Reflect.set(statement, name, (...params: unknown[]): unknown =>
          Reflect.apply(bind, statement, isList(params) ? params : [params]),
        );
      }
      return statement;
    }
  };
}

/** Text without a zone is UTC. */
function utc(value: unknown): string {
  return new Date(`${String(value).replace(' ', 'T')}Z`).toISOString();
}

/** What the library is given to prepare, by TypeORM and by the engine. */
function countStatements({ driver }: DataSource): { statements: number } {
  const counter = { statements: 0 };
  const database = Reflect.get(driver, 'databaseConnection') as RawDatabase;
  const prepare = database.prepare.bind(database);
  Reflect.set(database, 'prepare', (sql: string) => {
    counter.statements += 1;
    return prepare(sql);
  });
  return counter;
}

/** By library: a file with the domain's tables and those of the audit, which others are copied from. */
const templates = new Map<LibraryKind, Promise<string>>();
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  templates.clear();
});

function getTemplate(kind: LibraryKind): Promise<string> {
  let template = templates.get(kind);
  if (template === undefined) {
    template = createTemplate(kind);
    templates.set(kind, template);
  }
  return template;
}

async function createTemplate(kind: LibraryKind): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'indelible-typeorm-'));
  folders.push(folder);
  const file = join(folder, 'template.db');
  const { Database, driver } = getLibrary(kind);
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: file,
    driver: Database,
    entities: Object.values(createDomain(TYPES)),
    synchronize: true,
  });
  await dataSource.initialize();
  await dataSource.destroy();
  const store = createSqliteStore({ file, driver });
  await store.migrate();
  await store.close();
  // The store keeps a log of its own beside the file; what stands in it goes into the file.
  const raw = new Database(file);
  raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  raw.close();
  return file;
}
