import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type AuditOptions,
  type AuditStore,
  createAudit,
  type EventInput,
  type Verdict,
} from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEAD_TAMPERINGS } from './head-tamperings.js';
import { LOG_TAMPERINGS } from './log-tamperings.js';
import { ROW_TAMPERINGS } from './row-tamperings.js';
import { TamperedFile } from './tampered-file.js';
import { LOG, OTHER, SECRET, SIZE, type Tampering } from './tampering.js';

export const TABLES = ['audit_event', 'audit_pending', 'audit_entry', 'audit_head'] as const;
export type LogTable = (typeof TABLES)[number];
type FileRow = Readonly<Record<string, unknown>>;

/** A database of a server that tamperings are put into. */
export interface TamperedServer {
  /** For messages. */
  readonly name: string;
  openStore(): AuditStore;
  /** Puts these rows, of a SQLite file, in the place of what the tables hold. */
  fill(rowsOf: (table: LogTable) => readonly FileRow[]): Promise<void>;
  /** All rows of all tables, in an order that only depends on them. */
  rows(): Promise<unknown>;
  /** The database refused these rows because its types can not hold them. */
  isRefusal(error: unknown): boolean;
}

/*
 * The tamperings are written down for a SQLite file. Here the rows that they leave are put into another database as its owner
 * could, past guards and keys, and verification there has to say the same; what its types can not hold it has to refuse.
 */

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

/** Registers the tests for one database, whose guards and keys are taken away before them. */
export function tamperingCases(server: TamperedServer): void {
  /** What verification says of a copy of the file that was tampered with, or that its rows were refused. */
  async function verifyTampered({
    pending = false,
    tamper,
  }: Pick<Tampering, 'pending' | 'tamper'>): Promise<readonly Verdict[] | 'refused'> {
    const copy = path(`copy-${files++}`);
    copyFileSync(path(pending ? 'pending' : 'sealed'), copy);
    const file = new TamperedFile(copy);
    tamper(file);
    try {
      await server.fill((table) => file.rows<FileRow>(`SELECT * FROM ${table}`));
    } catch (error) {
      if (server.isRefusal(error)) return 'refused';
      throw error;
    } finally {
      file.close();
    }
    const store = server.openStore();
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

  let sealed: unknown;
  let waiting: unknown;
  beforeAll(async () => {
    await verifyTampered({ tamper: () => {} });
    sealed = await server.rows();
    await verifyTampered({ pending: true, tamper: () => {} });
    waiting = await server.rows();
  });

  let refused = 0;
  let unchanged = 0;
  describe('gives the findings that it gives on SQLite', () => {
    it.each([...ROW_TAMPERINGS, ...LOG_TAMPERINGS, ...HEAD_TAMPERINGS])('$name', async (tampering) => {
      const verdicts = await verifyTampered(tampering);
      if (verdicts === 'refused') {
        refused += 1;
        return;
      }
      // A number where text belongs, say, is the text again once it stands in a column of text.
      const isUnchanged = isDeepStrictEqual(
        await server.rows(),
        tampering.pending === true ? waiting : sealed,
      );
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

    it(`${server.name} refuses few of them, and makes no more than three undone`, () => {
      expect(refused).toBeLessThan(12);
      expect(unchanged).toBeLessThanOrEqual(3);
    });
  });

  it('the log of the tests has what the tamperings are about', async () => {
    const verdicts = await verifyTampered({ tamper: () => {} });
    const north = verdicts === 'refused' ? undefined : verdicts.find(({ log }) => log === LOG);
    expect(north?.size).toBe(SIZE);
  });
}
