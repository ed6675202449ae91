import { existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { SECRETS } from '../src/day/script.js';
import { ACCOUNTS } from '../src/seed.js';
import { type Run, runMain, startMain } from './run-main.js';

const WIDTH = 100;
const LOST_REQUEST = fileURLToPath(new URL('lost-request.mjs', import.meta.url));

describe('a day at the clinic', () => {
  let run: Run;
  beforeAll(async () => {
    run = await runMain();
  });

  it('comes out as it should, and the exit code says so', () => {
    // Where the log is kept, and nothing else.
    expect(run.stderr).toMatch(
      /^\[indelible\/core\] the audit log is kept in the database of the audited ORM, .*clinic\.db\.\n$/,
    );
    expect(run.stdout).toContain('All 9 checks passed.');
    expect(run.stdout).not.toContain('FAIL');
    expect(run.code).toBe(0);
  });

  it('shows who did what, and the values before and after', () => {
    expect(run.stdout).toMatch(/ada, doctor +prescription\.created +Prescription 1/);
    expect(run.stdout).toMatch(/~ status {2}"booked" → "arrived"/);
    expect(run.stdout).toMatch(/denied/);
  });

  it('shows what verification says to each forgery', () => {
    expect(run.stdout.match(/AUDIT_[A-Z_]+ at entry \d+/g)?.map((text) => text.replace(/\d+/, 'n'))).toEqual([
      'AUDIT_BODY_MISMATCH at entry n',
      'AUDIT_COLUMN_MISMATCH at entry n',
      'AUDIT_ENTRY_MISSING at entry n',
      'AUDIT_ENTRY_MISSING at entry n',
    ]);
  });

  it('fits into a terminal of 100 columns, and has no colour where it is piped', () => {
    expect(run.stdout.split('\n').filter((line) => [...line].length > WIDTH)).toEqual([]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
    expect(run.stdout).not.toMatch(/\x1b/);
  });

  it('prints no secret', () => {
    for (const secret of Object.values(SECRETS)) expect(run.stdout).not.toContain(secret);
  });
});

describe('a day on which something is wrong', () => {
  it('ends with exit code 1 and names the request whose events are missing', {
    timeout: 60_000,
  }, async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'lost-request-'));
    const { code, stdout } = await runMain({ NODE_OPTIONS: `--import=${LOST_REQUEST}`, TMPDIR: temporary });
    expect(code).toBe(1);
    expect(stdout).toContain('"grace makes Florence a doctor": 0 × auth.role_changed, not 1');
    expect(stdout).toMatch(/\d of 9 checks FAILED\./);
    // Its database is gone too.
    expect(readdirSync(temporary)).toEqual([]);
    rmdirSync(temporary);
  });
});

describe('the clinic with --serve', () => {
  it('says where it is and how to sign in, and goes when it is told to', { timeout: 60_000 }, async () => {
    const child = startMain(['--serve']);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.on('exit', (code) => reject(new Error(`it ended with exit code ${code}`)));
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('verify\n')) resolve();
      });
    });
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? '';
    const file = /file:(.+?clinic\.db)/.exec(said)?.[1] ?? '';
    const { email, password } = ACCOUNTS.ada;
    expect(said).toContain(password);
    const answer = await fetch(`${url}/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    expect(await answer.json()).toEqual({ name: 'Ada', role: 'doctor' });
    expect(existsSync(file)).toBe(true);

    const code = await new Promise((resolve) => {
      child.on('exit', resolve);
      // As a Ctrl-C under npm: from the terminal, and from the process that started it.
      child.kill('SIGINT');
      child.kill('SIGINT');
      setTimeout(() => child.kill('SIGINT'), 1);
    });
    expect(code).toBe(0);
    expect(existsSync(file)).toBe(false);
  });
});
