import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrmHarness, OrmHarnessOptions } from '@indelible/capture/conformance';
import { type AuditEvent, createAudit, readBody } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { createAuditExtension } from '../src/index.js';
import { PrismaClient } from './generated/client.js';
import { type Audit, type Client, createFlows } from './prisma-operations.js';
import { getLibrary, type RawDatabase } from './sqlite-libraries.js';
import { readSqliteSnapshot } from './sqlite-rows.js';
import { type AdapterKind, createAdapter } from './test-adapters.js';

const SCHEMA = readFileSync(new URL('./prisma/schema.sql', import.meta.url), 'utf8');
export const HMAC_KEY = 'a test secret of more than thirty-two bytes';

/** One database file with a client on it. */
export interface PrismaHarness extends OrmHarness {
  readonly prisma: Client;
  readonly file: string;
  readonly raw: RawDatabase;
  readonly audit: Audit;
}

/** Makes a fresh database file with the domain's tables, and an audited client on it. */
export async function createPrismaHarness(
  kind: AdapterKind,
  options: OrmHarnessOptions = {},
): Promise<PrismaHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-prisma-'));
  const file = join(directory, 'app.db');
  const { Database, driver } = getLibrary(kind);
  const raw = new Database(file);
  raw.exec(SCHEMA);
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
  if (audited) await audit.migrate();
  let statements = 0;
  const adapter = createAdapter(kind, file, () => {
    statements += 1;
  });
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' });
  // The extended client is this one, with another type.
  if (audited) prisma.$extends(createAuditExtension({ audit, ...capture }));
  return {
    prisma,
    file,
    raw,
    audit,
    ...createFlows(prisma, audit),
    events: async () => readEvents(raw),
    snapshot: () => readSqliteSnapshot(raw),
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
      const count = statements;
      statements = 0;
      return count;
    },
    close: async () => {
      await prisma.$disconnect();
      await audit.close();
      await store.close();
      raw.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Read with raw SQL, and only from the bytes that stand there. */
export function readEvents(raw: RawDatabase): AuditEvent[] {
  const rows: unknown[][] = raw
    .prepare("SELECT body FROM audit_event WHERE action NOT LIKE 'audit.%' ORDER BY id")
    .raw()
    .all() as unknown[][];
  return rows.map(([body]) => {
    if (!(body instanceof Uint8Array)) throw new TypeError('a body is bytes');
    return readBody(body);
  });
}
