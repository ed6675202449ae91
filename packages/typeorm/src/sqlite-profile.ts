import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  announceLibrary,
  type BareConnection,
  type CaptureEngine,
  createSqliteDialect,
  getSqliteFile,
  type SqliteLibrary,
} from '@indelible/capture';
import { AuditError } from '@indelible/core';
import type { DataSource } from 'typeorm';
import type { DriverProfile } from './driver-profile.js';
import { reachMethod, readObject, readText } from './reach.js';
import { auditSqliteRunner, catchUp, createSqliteConnection } from './sqlite-runner.js';

/** TypeORM's driver for SQLite: one connection and one query runner for all. */
export function createSqliteProfile(): DriverProfile {
  const runners = new WeakSet<object>();
  let bare: BareConnection | undefined;
  const watchRunner = ({ driver }: DataSource, runner: object, engine: CaptureEngine): void => {
    if (runners.has(runner)) return;
    runners.add(runner);
    // A data source that was initialized again has another connection.
    bare?.forget();
    bare ??= engine.bare(createSqliteConnection(() => readObject(driver, 'databaseConnection')));
    auditSqliteRunner(runner, bare);
  };
  return {
    createDialect: createSqliteDialect,
    foldsNames: true,
    defaultSchema: () => null,
    schemaOf: () => null,
    nameDatabase: async (connection, dataSource) => {
      const file = await getSqliteFile(connection, 'typeorm');
      announceLibrary(file, libraryOf(dataSource));
      return `sqlite:${file}`;
    },
    watch: (dataSource, engine) => {
      announce(dataSource);
      const create = reachMethod(dataSource.driver, 'createQueryRunner');
      Reflect.set(dataSource.driver, 'createQueryRunner', (mode: unknown): unknown => {
        const runner = create(mode);
        if (typeof runner === 'object' && runner !== null) watchRunner(dataSource, runner, engine);
        return runner;
      });
    },
    watchRunner: (runner, engine, sent) => {
      watchRunner(runner.manager.dataSource, runner, engine);
      if (sent !== undefined && engine.needOf(sent.query) !== 'nothing') catchUp(runner, sent);
    },
    offerStore: async (dataSource) => {
      announce(dataSource);
      return { url: `file:${fileOf(dataSource)}`, options: { driver: libraryOf(dataSource) } };
    },
  };
}

/** Tells the store which library this process has on the file, before either opens it. */
function announce(dataSource: DataSource): void {
  announceLibrary(fileOf(dataSource), libraryOf(dataSource));
}

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for a database in memory */
function fileOf({ options }: DataSource): string {
  const file = readText(options, 'database');
  if (file === undefined || file === ':memory:') {
    throw new AuditError(
      'AUDIT_DATABASE_UNSUPPORTED',
      'typeorm',
      'a database in memory has no file that an audit log could stand in',
    );
  }
  return existsSync(file) ? realpathSync(file) : resolve(file);
}

/** libsql, which needs no compiler, can stand in the place of better-sqlite3 (`driver`). */
function libraryOf({ driver }: DataSource): SqliteLibrary {
  const library: unknown = Reflect.get(driver, 'sqlite');
  const prototype: unknown = typeof library === 'function' ? library.prototype : undefined;
  const syncs = typeof prototype === 'object' && prototype !== null && 'sync' in prototype;
  return syncs ? 'libsql' : 'better-sqlite3';
}
