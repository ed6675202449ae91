import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/commands.js';
import { wantsColour } from '../src/palette.js';
import { ClinicLog, PATIENT_STORY } from './clinic-log.js';
import { jsonLines, outcomeOf, runIndelible, SECRET, startIndelible } from './run-indelible.js';

let log: ClinicLog;
beforeEach(() => {
  log = new ClinicLog();
});
afterEach(() => log.remove());

const indelible = (...args: string[]) => runIndelible(args, { cwd: log.cwd });

describe('the command line', () => {
  it('lists its commands, and answers 3 where none is named', async () => {
    const help = await indelible('--help');
    for (const { name } of COMMANDS) expect(help.stdout).toContain(`  ${name}`);
    expect(help.code).toBe(0);
    const none = await indelible();
    expect(none.stdout).toBe(help.stdout);
    expect(none.code).toBe(3);
  });

  it.each(COMMANDS)('explains $name', async ({ name, options }) => {
    const { code, stdout } = await indelible(name, '--help');
    expect(stdout).toMatch(new RegExp(`^Usage: indelible ${name}`));
    for (const option of [...Object.keys(options), 'url', 'key-file', 'json'])
      expect(stdout).toContain(`--${option}`);
    expect((await indelible('help', name)).stdout).toBe(stdout);
    expect(code).toBe(0);
  });

  it('says its version', async () => {
    expect(await indelible('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it('names an option that it does not know and answers 3', async () => {
    const { code, stdout, stderr } = await indelible('verify', '--colour');
    expect(stderr).toContain("Unknown option '--colour'");
    expect(stdout).toBe('');
    expect(code).toBe(3);
  });

  it('takes no secret from the command line and does not repeat it', async () => {
    for (const option of ['--key', '--hmac-key']) {
      const { code, stderr } = await indelible('verify', `${option}=${SECRET}`);
      expect(stderr).toContain('use AUDIT_HMAC_KEY or --key-file');
      expect(stderr).not.toContain(SECRET);
      expect(code).toBe(3);
    }
  });

  it('names an unknown command, a missing and a surplus argument', async () => {
    expect((await indelible('verifi')).stderr).toContain("unknown command 'verifi'; there are migrate,");
    expect((await indelible('history', 'Patient')).stderr).toContain('history needs <id>');
    expect((await indelible('show', 'a', 'b')).stderr).toContain("show does not take 'b'");
    for (const args of [['verifi'], ['history', 'Patient'], ['show', 'a', 'b']]) {
      expect((await indelible(...args)).code).toBe(3);
    }
  });

  it('asks for a database where none is named and none is there', async () => {
    const { code, stderr } = await indelible('tail');
    expect(stderr).toContain('Pass --url, or set AUDIT_DATABASE_URL');
    expect(code).toBe(3);
  });

  it('prefers --url to AUDIT_DATABASE_URL to ./audit.db', async () => {
    await log.record(PATIENT_STORY);
    const options = { cwd: log.cwd, env: { AUDIT_DATABASE_URL: 'file:./other.db' } };
    expect((await runIndelible(['verify'], { cwd: log.cwd })).code).toBe(0);
    expect((await runIndelible(['verify'], options)).stderr).toContain('other.db');
    expect((await runIndelible(['verify', '--url', log.url], options)).code).toBe(0);
  });

  it('names the command to run where the tables are missing', async () => {
    writeFileSync(join(log.cwd, 'empty.db'), '');
    for (const command of [
      ['verify'],
      ['tail'],
      ['seal'],
      ['seal', '--watch'],
      ['show', 'x'],
      ['history', 'a', 'b'],
    ]) {
      const { code, stderr } = await indelible(...command, '--url', 'file:./empty.db');
      expect(stderr).toContain('npx indelible migrate');
      expect(code).toBe(3);
    }
  });

  it('answers 3 for a secret that is too short and for a database that is no database', async () => {
    await log.record(PATIENT_STORY);
    const weak = await runIndelible(['verify', '--json'], { cwd: log.cwd, env: { AUDIT_HMAC_KEY: 'short' } });
    expect(JSON.parse(weak.stderr)).toMatchObject({ error: { code: 'AUDIT_KEY_WEAK' } });
    expect(weak.code).toBe(3);
    writeFileSync(join(log.cwd, 'text.db'), 'this is no database, however long one looks at it. '.repeat(50));
    expect((await indelible('verify', '--url', 'file:./text.db')).code).toBe(3);
    expect((await indelible('verify', '--url', 'mongodb://localhost/x')).code).toBe(3);
  });
});

describe('indelible migrate', () => {
  it('makes the tables, and does nothing the second time', async () => {
    const first = await indelible('migrate', '--json', '--url', 'file:./new.db');
    const second = await indelible('migrate', '--json', '--url', 'file:./new.db');
    const { applied, version } = JSON.parse(first.stdout);
    expect(applied).toContain(1);
    expect(JSON.parse(second.stdout)).toEqual({ applied: [], version });
    expect((await indelible('migrate', '--url', 'file:./new.db')).stdout).toContain('up to date');
    expect([first.code, second.code]).toEqual([0, 0]);
  });

  it('prints its SQL without opening the database, and that SQL makes the same tables', async () => {
    const { stdout, code } = await indelible('migrate', '--print', '--url', 'file:./printed.db');
    expect(code).toBe(0);
    expect(existsSync(join(log.cwd, 'printed.db'))).toBe(false);
    const database = new Database(join(log.cwd, 'printed.db'));
    database.exec(stdout);
    database.close();
    expect((await indelible('migrate', '--url', 'file:./printed.db')).stdout).toContain('up to date');
  });
});

describe('indelible seal', () => {
  async function leavePending(count: number): Promise<void> {
    const audit = log.audit({ hmacKey: SECRET, sealAfterMs: false });
    await audit.migrate();
    for (let n = 0; n < count; n++) await audit.record({ action: 'import.finished', details: { n } });
    await audit.close();
  }

  it('seals what is pending and says how many', async () => {
    await leavePending(3);
    expect(await indelible('seal')).toMatchObject({ code: 0, stdout: 'Sealed 3 events.\n' });
    expect(await indelible('seal', '--json')).toMatchObject({ code: 0, stdout: '{"sealed":0}\n' });
    const { stdout } = await indelible('verify', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ result: 'valid', logs: [{ size: 3 }] });
  });

  it('refuses to seal on top of a head that another key vouches for', async () => {
    await leavePending(1);
    await indelible('seal');
    await leavePending(1);
    const env = { AUDIT_HMAC_KEY: `${SECRET}, but another one` };
    for (const args of [['seal'], ['seal', '--watch']]) {
      const { code, stderr } = await runIndelible([...args, '--json'], { cwd: log.cwd, env });
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'AUDIT_HEAD_INVALID' } });
      expect(code).toBe(3);
    }
  });

  it('goes on with --watch until it is told to stop, and then answers 0', async () => {
    await leavePending(1);
    const child = startIndelible(['seal', '--watch', '--interval', '50ms', '--json'], { cwd: log.cwd });
    const ended = outcomeOf(child);
    if (child.stdout === null) throw new Error('no stdout');
    await once(child.stdout, 'data');
    await leavePending(2);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(jsonLines(stdout).reduce((sum, { sealed }) => sum + Number(sealed), 0)).toBe(3);
    expect(stderr).toContain('stopped after sealing 3');
  });
});

describe('colours', () => {
  it('are for people at a terminal who did not ask for none', () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(wantsColour({}, {})).toBe(false);
  });
});
