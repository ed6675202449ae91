import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type AuditOptions, createAudit, type EventInput, type Verdict } from '@indelible/core';
import { createPostgresStore } from '@indelible/postgres';
import { createSqliteStore } from '@indelible/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawConnection, withRaw } from '../../packages/postgres/test/raw-connection.js';
import { describePostgres, type TestDatabase } from '../../packages/postgres/test/test-postgres.js';
import { HEAD_TAMPERINGS } from './head-tamperings.js';
import { LOG_TAMPERINGS } from './log-tamperings.js';
import { ROW_TAMPERINGS } from './row-tamperings.js';
import { TamperedFile } from './tampered-file.js';
import { LOG, OTHER, SECRET, SIZE, type Tampering } from './tampering.js';

/*
 * The tamperings are written down for a SQLite file. Here the rows that they leave are put into PostgreSQL as its owner could,
 * past guards and keys, and verification there has to say the same; what PostgreSQL's types can not hold it has to refuse.
 */

const TABLES = ['audit_event', 'audit_pending', 'audit_entry', 'audit_head'] as const;
/** Values that no column of these types can hold: no UUID, no bigint, no bytes. */
const REFUSED = new Set(['22P02', '22P03', '22003', '08P01']);

let directory = '';
let files = 0;
const path = (name: string) => join(directory, `${name}.db`);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'indelible-tampering-'));
  await record(path('sealed'), [...north(0, SIZE), ...other(3)]);
  copyFileSync(path('sealed'), path('pending'));
  await record(path('pending'), north(SIZE, SIZE + 2), { sealAfterMs: false });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function north(from: number, to: number): EventInput[] {
  return Array.from({ length: to - from }, (_, n) => ({
    action: 'patient.read',
    category: 'access',
    actor: { type: 'user', id: `ada-${from + n}` },
    resource: { type: 'Patient', id: String(from + n) },
    reason: 'asked by the ward',
    context: {
      tenant: 'north',
      ip: '192.0.2.7',
      requestId: `request-${from + n}`,
      transactionId: `tx-${from + n}`,
    },
  }));
}

function other(count: number): EventInput[] {
  return Array.from({ length: count }, () => ({
    action: 'auth.login',
    actor: { type: 'user', id: 'grace' },
  }));
}

const settings = (): AuditOptions => ({
  hmacKey: SECRET,
  origin: OTHER,
  lifecycleEvents: false,
  spool: { directory: join(directory, 'spool') },
  onError: () => {},
});

async function record(
  file: string,
  inputs: readonly EventInput[],
  options: AuditOptions = {},
): Promise<void> {
  const store = createSqliteStore({ file });
  const audit = createAudit({ ...settings(), store, ...options });
  await audit.migrate();
  for (const input of inputs) await audit.record(input);
  await audit.close();
  await store.close();
  TamperedFile.fold(file);
}

describePostgres('tampering', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await server.createDatabase();
    const store = createPostgresStore({ url: database.url, roles: false });
    await store.migrate();
    await store.close();
    await withRaw(database.url, loosen);
  });
  afterAll(() => database.drop());

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

  async function fill(raw: RawConnection, file: TamperedFile): Promise<void> {
    await raw.all('BEGIN; SET LOCAL session_replication_role = replica');
    await raw.all(
      TABLES.map(
        (table) => `ALTER TABLE audit.${table} DISABLE TRIGGER ALL; DELETE FROM audit.${table}`,
      ).join(';'),
    );
    for (const table of TABLES) {
      for (const row of file.rows<Record<string, unknown>>(`SELECT * FROM ${table}`)) {
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

  /** What verification says of a copy of the file that was tampered with, or the code with which PostgreSQL refused its rows. */
  async function verifyTampered({
    pending = false,
    tamper,
  }: Pick<Tampering, 'pending' | 'tamper'>): Promise<readonly Verdict[] | string> {
    const copy = path(`copy-${files++}`);
    copyFileSync(path(pending ? 'pending' : 'sealed'), copy);
    const file = new TamperedFile(copy);
    tamper(file);
    try {
      await withRaw(database.url, (raw) => fill(raw, file));
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
      throw error;
    } finally {
      file.close();
    }
    const store = createPostgresStore({ url: database.url, roles: false });
    const audit = createAudit({ ...settings(), store });
    const verdicts = await audit.verify();
    await audit.close();
    await store.close();
    return verdicts;
  }

  it('a log that nobody touched is valid', async () => {
    const verdicts = await verifyTampered({ tamper: () => {} });
    expect(verdicts).toMatchObject([{ result: 'valid' }, { result: 'valid' }]);
  });

  const rows = () =>
    withRaw(database.url, async (raw) => {
      const all: unknown[] = [];
      for (const table of TABLES)
        all.push(await raw.all(`SELECT * FROM audit.${table} ORDER BY log, ${table}`));
      return all;
    });

  let sealed: unknown;
  let waiting: unknown;
  beforeAll(async () => {
    await verifyTampered({ tamper: () => {} });
    sealed = await rows();
    await verifyTampered({ pending: true, tamper: () => {} });
    waiting = await rows();
  });

  let refused = 0;
  let unchanged = 0;
  describe('gives the findings that it gives on SQLite', () => {
    it.each([...ROW_TAMPERINGS, ...LOG_TAMPERINGS, ...HEAD_TAMPERINGS])('$name', async (tampering) => {
      const verdicts = await verifyTampered(tampering);
      if (typeof verdicts === 'string') {
        refused += 1;
        expect([...REFUSED]).toContain(verdicts);
        return;
      }
      // A number where text belongs, say, is the text again once it stands in a column of PostgreSQL.
      const isUnchanged = isDeepStrictEqual(await rows(), tampering.pending === true ? waiting : sealed);
      if (isUnchanged && tampering.expected.length > 0) unchanged += 1;
      const expected = isUnchanged ? [] : tampering.expected.map((finding) => finding.join(' '));
      const found = verdicts
        .flatMap(({ findings }) => findings)
        // A body that was altered may also be unreadable, or differ from its columns, depending on the byte.
        .filter(({ code }) => !/^a bit of the body/.test(tampering.name) || code === 'AUDIT_BODY_MISMATCH')
        .map((finding) => [finding.log, finding.code, finding.index].join(' '));
      expect(found.sort()).toEqual(expected.sort());
      for (const [log, what] of tampering.notChecked ?? []) {
        const listed = verdicts
          .filter((verdict) => verdict.log === log)
          .flatMap((verdict) => verdict.notChecked);
        expect(listed.map((each) => each.what)).toContain(what);
      }
    });

    it('PostgreSQL refuses few of them, and makes no more than three undone', () => {
      expect(refused).toBeLessThan(12);
      expect(unchanged).toBeLessThanOrEqual(3);
    });
  });

  it('the log of the tests has what the tamperings are about', async () => {
    const verdicts = await verifyTampered({ tamper: () => {} });
    const north = typeof verdicts === 'string' ? undefined : verdicts.find(({ log }) => log === LOG);
    expect(north?.size).toBe(SIZE);
  });
});
