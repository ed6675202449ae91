import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Audit, type AuditEvent, createAudit, readBody } from '@indelible/core';
import { createMysqlStore } from '@indelible/mysql';
import { openRaw, type RawConnection } from '../../../mysql/test/raw-connection.js';
import type { TestMysql } from '../../../mysql/test/test-mysql.js';
import { type CaptureEngine, createCaptureEngine } from '../../src/capture-engine.js';
import type { CaptureOptions } from '../../src/capture-options.js';
import { createMysqlDialect } from '../../src/mysql/mysql-dialect.js';
import { type Answer, MysqlCaller } from './mysql-caller.js';

/** What a statement came to: its answer, or the number of its error. */
export type Outcome = Answer | { readonly error: string };

/** A database with an audited connection, another one that looks at it from outside, and a twin that nobody audits. */
export interface MysqlBench {
  readonly audit: Audit;
  /** The application's own connection. */
  readonly caller: MysqlCaller;
  /** The same on the twin. */
  readonly plain: MysqlCaller;
  readonly outside: RawConnection;
  /** The same of the twin. */
  readonly beside: RawConnection;
  /** Empties both databases and runs the script on both. */
  reset(script: string): Promise<void>;
  /** Another audited connection: with the engine of the bench, or, with options, an engine of its own. */
  open(options?: CaptureOptions): Promise<MysqlCaller>;
  /** The events that were not asked for yet, in the order of their ids. */
  events(): Promise<readonly AuditEvent[]>;
  close(): Promise<void>;
}

export async function createMysqlBench(server: TestMysql): Promise<MysqlBench> {
  const [database, twin] = [await server.createDatabase(), await server.createDatabase()];
  const directory = mkdtempSync(join(tmpdir(), 'indelible-capture-'));
  const store = createMysqlStore({ url: database.url, roles: false });
  const audit = createAudit({
    hmacKey: 'a test secret of more than thirty-two bytes',
    lifecycleEvents: false,
    sealAfterMs: false,
    spool: { directory: join(directory, 'spool') },
    store,
  });
  await audit.migrate();
  const createEngine = (capture: CaptureOptions = {}): CaptureEngine =>
    createCaptureEngine({
      ...capture,
      audit: () => audit,
      dialect: createMysqlDialect(),
      nameModel: () => undefined,
      where: 'test',
    });
  const engine = createEngine();
  const [outside, beside] = [await openRaw(database.url), await openRaw(twin.url)];
  const [caller, plain] = [await MysqlCaller.open(database.url, engine), await MysqlCaller.open(twin.url)];
  const others: MysqlCaller[] = [];
  const seen = new Set<string>();
  const bench: MysqlBench = {
    audit,
    caller,
    plain,
    outside,
    beside,
    reset: async (script) => {
      for (const other of others.splice(0)) await other.close();
      if (caller.inTransaction) await caller.run('ROLLBACK');
      await plain.run('ROLLBACK');
      for (const connection of [outside, beside]) {
        await empty(connection);
        await connection.all(script);
      }
      // The engine hears of a schema that another connection has changed only after a while.
      await caller.run('DROP TABLE IF EXISTS nothing');
      await bench.events();
    },
    open: async (capture) => {
      const other = await MysqlCaller.open(
        database.url,
        capture === undefined ? engine : createEngine(capture),
      );
      others.push(other);
      return other;
    },
    events: async () => {
      const rows = await outside.all('SELECT HEX(id) AS id, body FROM audit_event ORDER BY audit_event.id');
      const fresh = rows.filter(({ id }) => !seen.has(String(id)));
      for (const { id } of fresh) seen.add(String(id));
      return fresh.map(({ body }) => readBody(body as Uint8Array));
    },
    close: async () => {
      await audit.close();
      await store.close();
      for (const other of [caller, plain, outside, beside, ...others]) await other.close();
      await database.drop();
      await twin.drop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return bench;
}

/** All but the audit's own. */
async function empty(connection: RawConnection): Promise<void> {
  const tables = await connection.all(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE 'audit\\_%'`,
  );
  const routines = await connection.all(
    'SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS type FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()',
  );
  const own = routines.filter(({ name }) => !String(name).startsWith('audit_'));
  const drops = [
    ...tables.map(
      ({ name, type }) => `DROP ${type === 'VIEW' ? 'VIEW' : 'TABLE'} IF EXISTS \`${String(name)}\``,
    ),
    ...own.map(({ name, type }) => `DROP ${String(type)} IF EXISTS \`${String(name)}\``),
  ];
  await connection.all(
    `SET foreign_key_checks = 0; ${drops.map((sql) => `${sql};`).join(' ')} SET foreign_key_checks = 1`,
  );
}

export async function outcomeOf(work: Promise<Answer>): Promise<Outcome> {
  try {
    return await work;
  } catch (error) {
    const number: unknown = error instanceof Error ? Reflect.get(error, 'errno') : undefined;
    // What is no error of the server is one of ours.
    if (typeof number !== 'number') throw error;
    return { error: String(number) };
  }
}
