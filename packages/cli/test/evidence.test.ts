import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClinicLog } from './clinic-log.js';
import { runIndelible } from './run-indelible.js';

const VERIFIER = fileURLToPath(new URL('../../verifier/dist/bin.js', import.meta.url));

let clinic: ClinicLog;
let ids: readonly string[];

beforeEach(async () => {
  clinic = new ClinicLog();
  ids = await clinic.record([
    { action: 'patient.viewed', actor: { type: 'user', id: 'ada' } },
    { action: 'patient.exported', actor: { type: 'user', id: 'bob' }, details: { text: 'two\nlines' } },
    { action: 'patient.viewed', actor: { type: 'user', id: 'eve' } },
  ]);
  const made = spawnSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', 'key.pem'], {
    cwd: clinic.cwd,
  });
  expect(made.status).toBe(0);
});

afterEach(() => clinic.remove());

function indelible(...args: string[]) {
  return runIndelible([...args, '--url', clinic.url, '--signing-key', 'key.pem'], { cwd: clinic.cwd });
}

/** What an auditor does who has the file and the key, and nothing else. */
function audited(file: string, policy: string) {
  writeFileSync(join(clinic.cwd, 'policy.txt'), policy);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [VERIFIER, file, '--policy', 'policy.txt', '--json'],
    { cwd: clinic.cwd, env: {}, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return { status, verdict: JSON.parse(stdout) };
}

async function exported(file: string): Promise<string> {
  const { code, stdout, stderr } = await indelible('export-bundle', file, '--json');
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return `log ${JSON.parse(stdout).verifierKey}\n`;
}

describe('indelible export-bundle', () => {
  it('writes what an auditor verifies without database and secret', async () => {
    const policy = await exported('log.tar.gz');
    const { status, verdict } = audited('log.tar.gz', policy);
    expect(verdict).toMatchObject({ result: 'valid', entries: 3, checkpoint: { origin: 'audit', size: 3 } });
    expect(status).toBe(0);
    expect(existsSync(join(clinic.cwd, 'log.tar.gz.partial'))).toBe(false);
  });

  it('shows the key for the policy', async () => {
    const { stdout } = await indelible('export-bundle', 'log.tar.gz');
    const [, line] = /For the auditor's policy: (log \S+)/.exec(stdout) ?? [];
    expect(audited('log.tar.gz', line ?? '').status).toBe(0);
  });

  it('is recorded in the log', async () => {
    await exported('log.tar.gz');
    expect(clinic.bodies().at(-1)).toMatchObject({
      action: 'audit.exported',
      details: { command: 'export-bundle', log: 'audit', size: 3 },
    });
    const { code } = await indelible('export-bundle', 'again.tar.gz', '--no-record');
    expect(code).toBe(0);
    expect(clinic.bodies()).toHaveLength(4);
  });

  it('refuses to sign a log that was altered', async () => {
    clinic.tamper("UPDATE audit_event SET body = CAST(replace(CAST(body AS TEXT), 'ada', 'eva') AS BLOB)");
    const { code, stderr } = await indelible('export-bundle', 'log.tar.gz', '--json');
    expect(code).toBe(3);
    expect(JSON.parse(stderr).error.code).toBe('AUDIT_CHECKPOINT_REFUSED');
    expect(existsSync(join(clinic.cwd, 'log.tar.gz'))).toBe(false);
  });

  it('shows an auditor who kept a checkpoint that the log was rewritten with the secret', async () => {
    const policy = await exported('log.tar.gz');
    spawnSync('tar', ['-xzf', 'log.tar.gz', 'checkpoint'], { cwd: clinic.cwd });
    const rewritten = new ClinicLog();
    await rewritten.record([1, 2, 3, 4].map((number) => ({ action: 'patient.viewed', details: { number } })));
    const file = join(clinic.cwd, 'rewritten.tar.gz');
    const { code } = await runIndelible(
      ['export-bundle', file, '--url', rewritten.url, '--signing-key', join(clinic.cwd, 'key.pem')],
      { cwd: rewritten.cwd },
    );
    rewritten.remove();
    expect(code).toBe(0);
    expect(audited(file, policy).verdict.result).toBe('valid');
    expect(audited(file, `${policy}anchor checkpoint\n`).verdict).toMatchObject({
      result: 'invalid',
      findings: [{ code: 'AUDIT_CHECKPOINT_MISMATCH' }],
    });
    expect(audited('log.tar.gz', `${policy}anchor checkpoint\n`).verdict).toMatchObject({
      result: 'valid',
      anchors: [3],
    });
  });

  it('takes the key from the environment', async () => {
    const env = { AUDIT_SIGNING_KEY: readFileSync(join(clinic.cwd, 'key.pem'), 'utf8') };
    const args = ['export-bundle', 'log.tar.gz', '--url', clinic.url];
    expect((await runIndelible(args, { cwd: clinic.cwd, env })).code).toBe(0);
    const { code, stderr } = await runIndelible(args, {
      cwd: clinic.cwd,
      env: { AUDIT_SIGNING_KEY: undefined },
    });
    expect(stderr).toContain('--signing-key');
    expect(code).toBe(3);
  });
});

describe('indelible proof', () => {
  it('writes one event that an auditor verifies', async () => {
    const policy = await exported('log.tar.gz');
    const { code, stdout, stderr } = await indelible('proof', ids[1] ?? '');
    expect(code).toBe(0);
    expect(stderr).toContain(policy.trim());
    writeFileSync(join(clinic.cwd, 'event.tlog-proof'), stdout);
    const { status, verdict } = audited('event.tlog-proof', policy);
    expect(verdict).toMatchObject({ result: 'valid', kind: 'event', event: { index: 1 } });
    expect(JSON.parse(verdict.event.body)).toMatchObject({ id: ids[1], details: { text: 'two\nlines' } });
    expect(status).toBe(0);
  });

  it('of no event there is none', async () => {
    const { code, stderr } = await indelible('proof', '019ff0c2-5a51-7c3e-9f0a-6d1f0a4c2b7e');
    expect(stderr).toContain('there is no event');
    expect(code).toBe(3);
  });
});

describe('indelible consistency', () => {
  it('shows that the log continues the checkpoint that an auditor kept', async () => {
    const policy = await exported('log.tar.gz');
    spawnSync('tar', ['-xzf', 'log.tar.gz', 'checkpoint'], { cwd: clinic.cwd });
    expect((await runIndelible(['seal', '--url', clinic.url], { cwd: clinic.cwd })).code).toBe(0);
    expect((await indelible('consistency', '3', '--out', 'newer')).code).toBe(0);
    const { verdict } = audited('newer', `${policy}anchor checkpoint\n`);
    expect(verdict).toMatchObject({
      result: 'valid',
      kind: 'consistency',
      checkpoint: { size: 4 },
      anchors: [3],
    });
  });
});
