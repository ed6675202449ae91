import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClinicLog, PATIENT_STORY } from './clinic-log.js';
import { runIndelible, SECRET } from './run-indelible.js';

let log: ClinicLog;
beforeEach(() => {
  log = new ClinicLog();
});
afterEach(() => log.remove());

const verify = (...args: string[]) => runIndelible(['verify', ...args], { cwd: log.cwd });

describe('indelible verify', () => {
  it('answers 0 and VALID for a log that nobody touched', async () => {
    await log.record(PATIENT_STORY);
    const { code, stdout, stderr } = await verify();
    expect(stdout).toMatch(/^VALID {2}log audit, 3 entries$/m);
    expect(stdout).toMatch(/not checked {2}rollback/);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('answers 1 and names code, index and event of an altered body', async () => {
    const [, second] = await log.record(PATIENT_STORY);
    log.tamper(
      `UPDATE audit_event SET body = CAST(replace(CAST(body AS TEXT), '555-2', '555-9') AS BLOB) WHERE id = '${second}'`,
    );
    const { code, stdout } = await verify();
    expect(stdout).toMatch(/^INVALID/m);
    expect(stdout).toMatch(new RegExp(`AUDIT_BODY_MISMATCH +index 1 .*${second}`));
    expect(code).toBe(1);
  });

  it('answers 1 for an edited query column', async () => {
    await log.record(PATIENT_STORY);
    log.tamper("UPDATE audit_event SET actor_id = 'grace' WHERE action = 'patient.updated'");
    const { code, stdout } = await verify('--json');
    expect(JSON.parse(stdout)).toMatchObject({
      result: 'invalid',
      logs: [{ log: 'audit', findings: [{ code: 'AUDIT_COLUMN_MISMATCH', index: 1 }] }],
    });
    expect(code).toBe(1);
  });

  it('answers 1 for a cut tail', async () => {
    await log.record(PATIENT_STORY);
    log.tamper(
      'DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_entry WHERE idx = 2); DELETE FROM audit_entry WHERE idx = 2',
    );
    const { code, stdout } = await verify('--json');
    expect(stdout).toContain('AUDIT_ENTRY_MISSING');
    expect(code).toBe(1);
  });

  it('answers 1 if only one of several logs is invalid', async () => {
    await log.record([...PATIENT_STORY, { action: 'invoice.exported', context: { tenant: 'acme' } }]);
    log.tamper("UPDATE audit_event SET actor_id = 'grace' WHERE tenant = 'acme'");
    expect((await verify()).code).toBe(1);
    expect((await verify('--log', 'audit')).code).toBe(0);
    expect((await verify('--log', 'audit/acme')).code).toBe(1);
  });

  it('answers 2 for a database that holds no log: nothing was proven', async () => {
    await log.record([]);
    const { code, stdout } = await verify();
    expect(stdout).toMatch(/^INCOMPLETE/);
    expect(code).toBe(2);
    expect(JSON.parse((await verify('--json')).stdout)).toEqual({ result: 'incomplete', logs: [] });
  });

  it('does not answer 0 for a keyed log without its key', async () => {
    await log.record(PATIENT_STORY);
    const { code, stdout } = await runIndelible(['verify'], {
      cwd: log.cwd,
      env: { AUDIT_HMAC_KEY: undefined },
    });
    expect(stdout).toContain('not checked  unkeyed');
    expect(code).toBe(2);
  });

  it('answers 0 for a log that never had a key, and says what that leaves open', async () => {
    await log.record(PATIENT_STORY, log.audit({}));
    const { code, stdout } = await runIndelible(['verify'], {
      cwd: log.cwd,
      env: { AUDIT_HMAC_KEY: undefined },
    });
    expect(stdout).toContain('not checked  unkeyed: there is no key');
    expect(code).toBe(0);
  });

  it('answers 1 with another key', async () => {
    await log.record(PATIENT_STORY);
    const env = { AUDIT_HMAC_KEY: `${SECRET}, but another one` };
    expect((await runIndelible(['verify'], { cwd: log.cwd, env })).code).toBe(1);
  });

  it('takes the secret from a file, whose last line break does not count', async () => {
    await log.record(PATIENT_STORY);
    writeFileSync(join(log.cwd, 'key'), `${SECRET}\n`);
    const env = { AUDIT_HMAC_KEY: undefined };
    expect((await runIndelible(['verify', '--key-file', 'key'], { cwd: log.cwd, env })).code).toBe(0);
    const missing = await runIndelible(['verify', '--key-file', 'none'], { cwd: log.cwd, env });
    expect(missing.stderr).toContain('--key-file none can not be read');
    expect(missing.code).toBe(3);
  });

  it('holds entries before --keyed-from to no key, and those after it to one', async () => {
    await log.record(PATIENT_STORY, log.audit({}));
    await log.record(PATIENT_STORY, log.audit({ hmacKey: SECRET, keyedFrom: 3 }));
    const { code, stdout } = await verify('--keyed-from', '3');
    expect(stdout).toContain('3 entries are older than the key');
    expect(code).toBe(0);
    expect((await verify()).code).toBe(1);
    expect((await verify('--keyed-from', '4')).code).toBe(0);
    const wrong = await verify('--keyed-from', 'soon');
    expect(wrong.stderr).toContain("--keyed-from takes a whole number from 0 up, not 'soon'");
    expect(wrong.code).toBe(3);
  });

  it('finds an event whose time is farther from its sealing than --max-skew', async () => {
    await log.record([{ action: 'import.finished', time: new Date(Date.now() - 2 * 3_600_000) }]);
    expect((await verify()).code).toBe(0);
    const { code, stdout } = await verify('--max-skew', '1h');
    expect(stdout).toContain('AUDIT_TIME_SKEW');
    expect(code).toBe(1);
    expect((await verify('--max-skew', '1 hour')).code).toBe(3);
  });

  it('lists at most --max-findings findings and says that there are more', async () => {
    await log.record(PATIENT_STORY);
    log.tamper("UPDATE audit_event SET actor_id = 'grace'");
    const { stdout } = await verify('--max-findings', '1');
    expect(stdout.match(/AUDIT_COLUMN_MISMATCH/g)).toHaveLength(1);
    expect(stdout).toContain('There are more findings');
  });

  it('is incomplete when it is interrupted', async () => {
    await log.record(PATIENT_STORY);
    const module = fileURLToPath(new URL('../dist/command-line.js', import.meta.url));
    const script = `import { runCommandLine } from ${JSON.stringify(module)};
      process.exitCode = await runCommandLine(['verify', '--url', ${JSON.stringify(log.url)}], AbortSignal.abort());`;
    const env = { ...process.env, AUDIT_HMAC_KEY: SECRET };
    const cwd = fileURLToPath(new URL('..', import.meta.url));
    let code: unknown;
    try {
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd, env, stdio: 'pipe' });
    } catch (error) {
      code = Reflect.get(Object(error), 'status');
    }
    expect(code).toBe(2);
  });
});

describe('what indelible verify leaves behind', () => {
  it('is nothing: neither an event nor a changed byte nor a file', async () => {
    await log.record(PATIENT_STORY);
    const copy = join(log.cwd, 'copy');
    mkdirSync(copy);
    // The last one to close a database may have folded its -wal file.
    const files = ['audit.db', 'audit.db-wal'].filter((name) => existsSync(join(log.cwd, name)));
    for (const name of files) copyFileSync(join(log.cwd, name), join(copy, name));
    const before = files.map((name) => digest(join(copy, name)));
    expect((await runIndelible(['verify'], { cwd: copy })).code).toBe(0);
    expect(files.map((name) => digest(join(copy, name)))).toEqual(before);
    // What SQLite needs beside a file to read it, and which holds no events.
    const added = readdirSync(copy).filter((name) => !files.includes(name));
    for (const name of added) expect(['audit.db-shm', 'audit.db-wal']).toContain(name);
    if (added.includes('audit.db-wal')) expect(statSync(join(copy, 'audit.db-wal')).size).toBe(0);
    expect(log.bodies()).toHaveLength(3);
  });

  it('needs no right to write the file or its folder', async () => {
    await log.record(PATIENT_STORY);
    const copy = join(log.cwd, 'copy');
    mkdirSync(copy);
    log.foldWal();
    copyFileSync(log.file, join(copy, 'audit.db'));
    chmodSync(join(copy, 'audit.db'), 0o444);
    chmodSync(copy, 0o555);
    chmodSync(log.cwd, 0o755);
    try {
      const { code, stdout } = await runIndelible(['verify', '--url', `file:${copy}/audit.db`], {
        cwd: log.cwd,
        asNobody: true,
      });
      expect(stdout).toMatch(/^VALID/);
      expect(code).toBe(0);
    } finally {
      chmodSync(copy, 0o755);
    }
  });

  it('is one event with --record: who verified, and with what result', async () => {
    await log.record(PATIENT_STORY);
    expect((await verify('--record')).code).toBe(0);
    const recorded = log.bodies().filter((body) => body.action === 'audit.verified');
    expect(recorded).toMatchObject([
      {
        log: 'audit',
        actor: { type: 'user' },
        details: { results: [{ log: 'audit', result: 'valid', size: 3 }] },
      },
    ]);
  });

  it('is no database where there was none', async () => {
    const { code, stderr } = await verify('--url', 'file:./typo.db');
    expect(stderr).toContain('typo.db');
    expect(code).toBe(3);
    expect(existsSync(join(log.cwd, 'typo.db'))).toBe(false);
  });
});

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
