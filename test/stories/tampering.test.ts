import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AuditOptions,
  createAudit,
  deriveKeys,
  type EventInput,
  type Verdict,
  verifyAll,
} from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HEAD_TAMPERINGS } from './head-tamperings.js';
import { LOG_TAMPERINGS } from './log-tamperings.js';
import { ROW_TAMPERINGS } from './row-tamperings.js';
import { TamperedFile } from './tampered-file.js';
import { type Found, LOG, linksOf, OTHER, OTHER_SECRET, SECRET, SIZE, type Tampering } from './tampering.js';

const BIN = fileURLToPath(new URL('../../packages/cli/dist/bin.js', import.meta.url));
const TAMPERINGS = [...ROW_TAMPERINGS, ...LOG_TAMPERINGS, ...HEAD_TAMPERINGS];

let directory = '';
let files = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'indelible-tampering-'));
  await record(path('sealed'), north(0, SIZE), other(3));
  copyFileSync(path('sealed'), path('pending'));
  await record(path('pending'), north(SIZE, SIZE + 2), [], { sealAfterMs: false });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const path = (name: string) => join(directory, `${name}.db`);

/** Events of LOG with a value in every query column. */
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

async function record(
  file: string,
  first: readonly EventInput[],
  second: readonly EventInput[] = [],
  options: AuditOptions = {},
  secret: string | null = SECRET,
): Promise<void> {
  const store = createSqliteStore({ file });
  const audit = createAudit({ ...settings(secret), store, ...options });
  await audit.migrate();
  for (const input of [...first, ...second]) await audit.record(input);
  await audit.close();
  await store.close();
  TamperedFile.fold(file);
}

function settings(hmacKey: string | null): AuditOptions {
  return {
    ...(hmacKey === null ? {} : { hmacKey }),
    origin: OTHER,
    lifecycleEvents: false,
    spool: { directory: join(directory, 'spool') },
    onError: () => {},
  };
}

/** A copy of a file that was tampered with. */
function tampered({ pending = false, tamper }: Pick<Tampering, 'pending' | 'tamper'>): string {
  const copy = path(`copy-${files++}`);
  copyFileSync(path(pending ? 'pending' : 'sealed'), copy);
  const owner = new TamperedFile(copy);
  tamper(owner);
  owner.close();
  return copy;
}

async function verify(
  file: string,
  secret: string | null = SECRET,
  options: AuditOptions = {},
): Promise<readonly Verdict[]> {
  const store = createSqliteStore({ file });
  const audit = createAudit({ ...settings(secret), store, ...options });
  const verdicts = await audit.verify();
  await audit.close();
  await store.close();
  return verdicts;
}

const found = (verdicts: readonly Verdict[]): Found[] =>
  verdicts.flatMap(({ findings }) => findings.map(({ log, code, index }) => [log, code, index] as const));

const notChecked = (verdicts: readonly Verdict[], ofLog: string): string[] =>
  verdicts
    .filter(({ log }) => log === ofLog)
    .flatMap((verdict) => verdict.notChecked.map(({ what }) => what));

const text = (findings: readonly Found[]) => findings.map((finding) => finding.join(' ')).sort();

describe('a file that nobody touched', () => {
  it('is valid, and says what was not checked', async () => {
    const verdicts = await verify(tampered({ tamper: () => {} }));
    expect(verdicts.map(({ log, result, size }) => [log, result, size])).toEqual([
      [OTHER, 'valid', 3],
      [LOG, 'valid', SIZE],
    ]);
    expect(found(verdicts)).toEqual([]);
    expect(notChecked(verdicts, LOG)).toEqual(['rollback', 'dropped-logs']);
  });

  it('is valid with events that wait, which are listed', async () => {
    const verdicts = await verify(tampered({ pending: true, tamper: () => {} }));
    expect(verdicts.map(({ result }) => result)).toEqual(['valid', 'valid']);
    expect(notChecked(verdicts, LOG)).toEqual(['pending', 'rollback', 'dropped-logs']);
  });
});

describe('verification says what was done and where, and nothing of any other index, when', () => {
  it.each(TAMPERINGS)('$name', { timeout: 10_000 }, async (tampering) => {
    const verdicts = await verify(tampered(tampering));
    // A body that was altered may also be unreadable, or differ from its columns, depending on the byte.
    const readable = /^a bit of the body/.test(tampering.name)
      ? found(verdicts).filter(([, code]) => code === 'AUDIT_BODY_MISMATCH')
      : found(verdicts);
    expect(text(readable)).toEqual(text(tampering.expected));
    for (const [, , index] of found(verdicts))
      expect(tampering.expected.map((finding) => finding[2])).toContain(index);
    for (const { log, result } of verdicts) {
      const isHit = tampering.expected.some((finding) => finding[0] === log);
      expect([log, result]).toEqual([log, isHit ? 'invalid' : 'valid']);
    }
    for (const [log, what] of tampering.notChecked ?? []) expect(notChecked(verdicts, log)).toContain(what);
  });

  it('the same through verifyAll() of the package, in the names of one log', async () => {
    const store = createSqliteStore({ file: tampered({ tamper: (file) => file.deleteEntry(LOG, 3) }) });
    const keys = deriveKeys(SECRET);
    expect(found(await verifyAll(store, { keys }))).toEqual([[LOG, 'AUDIT_ENTRY_MISSING', 3]]);
    expect(found(await verifyAll(store, { keys, log: OTHER }))).toEqual([]);
    await store.close();
  });

  it('a forged event has its entry in another log, and only its own log is asked for', async () => {
    const file = tampered({
      tamper: (owner) => {
        const { id, leaf } = owner.forgeEvent(LOG, 3);
        owner.addEntry(OTHER, 3, id, leaf);
      },
    });
    const store = createSqliteStore({ file });
    const [verdict] = await verifyAll(store, { keys: deriveKeys(SECRET), log: LOG });
    expect(found(verdict === undefined ? [] : [verdict])).toEqual([[LOG, 'AUDIT_EVENT_ORPHANED', null]]);
    await store.close();
  });
});

describe('files and keys as a whole', () => {
  it("yesterday's file that was put back is valid, and every verdict lists what that means", async () => {
    const yesterday = tampered({ tamper: () => {} });
    const today = tampered({ tamper: () => {} });
    await record(today, north(SIZE, SIZE + 3), []);
    copyFileSync(yesterday, today);
    const verdicts = await verify(today);
    expect(found(verdicts)).toEqual([]);
    for (const { notChecked: not } of verdicts) expect(not.map(({ what }) => what)).toContain('rollback');
  });

  it.each(["x'636c696e6963'", 'NULL', '7'])(
    'a forged event of the log %s takes the light away',
    async (log) => {
      const file = tampered({
        tamper: (owner) => {
          const { id } = owner.forgeEvent(LOG, 3);
          owner.loosen('audit_event');
          owner.run(`UPDATE audit_event SET log = ${log} WHERE id = '${id}'`);
        },
      });
      const verdicts = await verify(file);
      expect(verdicts).toHaveLength(3);
      expect(verdicts.map(({ result }) => result)).toContain('incomplete');
    },
  );

  it('a log goes on after a copy of it was verified', async () => {
    const file = path('verified');
    copyFileSync(path('sealed'), file);
    await verify(file);
    await record(file, north(SIZE, SIZE + 2), []);
    const verdicts = await verify(file);
    expect(verdicts.map(({ result, size }) => [result, size])).toEqual([
      ['valid', 3],
      ['valid', SIZE + 2],
    ]);
  });

  it('a wrong key given to the verifier fits nothing', async () => {
    const verdicts = await verify(tampered({ tamper: () => {} }), OTHER_SECRET);
    const ofLog = found(verdicts).filter(([log]) => log === LOG);
    expect(text(ofLog)).toEqual(
      text([[LOG, 'AUDIT_HEAD_INVALID', null], ...linksOf([0, 1, 2, 3, 4, 5, 6, 7])]),
    );
  });

  it('without a key a keyed log is incomplete at best, and still shows an edited body', async () => {
    const untouched = await verify(tampered({ tamper: () => {} }), null);
    expect(untouched.map(({ result }) => result)).toEqual(['incomplete', 'incomplete']);
    expect(found(untouched)).toEqual([]);
    expect(notChecked(untouched, LOG)).toContain('unkeyed');
    const edited = tampered({ tamper: (file) => void file.editBody(LOG, 3, { withLeaf: false }) });
    expect(found(await verify(edited, null))).toEqual([[LOG, 'AUDIT_BODY_MISMATCH', 3]]);
  });

  it('an unkeyed rewrite is valid to a verifier without the key, and says so; keyedFrom takes the light away', async () => {
    const file = tampered({
      tamper: (owner) => {
        for (const log of [LOG, OTHER]) {
          owner.relink(log, undefined);
          owner.rehead(log, null);
        }
      },
    });
    const verdicts = await verify(file, null);
    expect(verdicts.map(({ result }) => result)).toEqual(['valid', 'valid']);
    expect(notChecked(verdicts, LOG)).toContain('unkeyed');
    const expecting = await verify(file, null, { keyedFrom: 0 });
    expect(expecting.map(({ result }) => result)).toEqual(['incomplete', 'incomplete']);
  });

  it('entries below keyedFrom may be unkeyed, are listed, and none from it on', async () => {
    const file = path('key-came-later');
    await record(file, north(0, 4), [], {}, null);
    await record(file, north(4, 8), [], { keyedFrom: 4 });
    const verdicts = await verify(file, SECRET, { keyedFrom: 4 });
    expect(verdicts.map(({ result }) => result)).toEqual(['valid']);
    expect(notChecked(verdicts, LOG)).toContain('unkeyed');
    expect(text(found(await verify(file, SECRET, { keyedFrom: 3 })))).toEqual(text(linksOf([3])));
    expect(text(found(await verify(file, SECRET)))).toEqual(text(linksOf([0, 1, 2, 3])));
  });
});

describe('indelible verify --json', () => {
  const cases: readonly (readonly [string, Tampering['tamper'], number, Found | null])[] = [
    ['nothing was done', () => {}, 0, null],
    [
      'a body was edited',
      (file) => void file.editBody(LOG, 3, { withLeaf: false }),
      1,
      [LOG, 'AUDIT_BODY_MISMATCH', 3],
    ],
    ['an entry was deleted', (file) => file.deleteEntry(LOG, 5), 1, [LOG, 'AUDIT_ENTRY_MISSING', 5]],
    [
      'the tail was cut',
      (file) => {
        file.deleteEntry(LOG, 7);
        file.rehead(LOG, undefined);
      },
      1,
      [LOG, 'AUDIT_HEAD_INVALID', null],
    ],
    [
      'a log has no name',
      (file) => file.run("UPDATE audit_event SET log = '' WHERE id = ?", file.forgeEvent(LOG, 3).id),
      1,
      ['', 'AUDIT_EVENT_ORPHANED', null],
    ],
  ];
  it.each(cases)('when %s', async (_, tamper, code, expected) => {
    const outcome = await runVerify(tampered({ tamper }));
    expect(outcome.code).toBe(code);
    const { logs } = JSON.parse(outcome.stdout) as {
      readonly logs: readonly Pick<Verdict, 'log' | 'findings'>[];
    };
    const findings = logs.flatMap((log) =>
      log.findings.map((finding) => [log.log, finding.code, finding.index]),
    );
    expect(findings).toEqual(expected === null ? [] : [expected]);
  });
});

function runVerify(file: string): Promise<{ code: number | null; stdout: string }> {
  const { NODE_PATH: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [BIN, 'verify', '--json', '--url', `file:${file}`], {
    cwd: directory,
    env: { ...inherited, AUDIT_HMAC_KEY: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout })));
}
