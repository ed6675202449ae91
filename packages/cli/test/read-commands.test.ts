import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADA, ClinicLog, PATIENT_STORY } from './clinic-log.js';
import { jsonLines, outcomeOf, runIndelible, SECRET, startIndelible } from './run-indelible.js';

let log: ClinicLog;
beforeEach(() => {
  log = new ClinicLog();
});
afterEach(() => log.remove());

const indelible = (...args: string[]) => runIndelible(args, { cwd: log.cwd });
const actions = (stdout: string) =>
  jsonLines(stdout).map(({ event }) => Reflect.get(Object(event), 'action'));
const queries = () => log.bodies().filter((body) => body.action === 'audit.queried');

describe('indelible tail', () => {
  it('prints the newest events, the oldest of them first, with their changes', async () => {
    await log.record(PATIENT_STORY);
    const { code, stdout } = await indelible('tail', '--limit', '2');
    expect(
      stdout.split('\n').map((line) => line.replace(/\d{4}-\d\d-\d\d [\d:.]+/, 'TIME').replace(/ +/g, ' ')),
    ).toEqual([
      'INDEX TIME (UTC) ACTION ACTOR RESOURCE OUTCOME',
      '1 TIME patient.updated user:ada Patient 7 success',
      ' phone: "555-1" → "555-2"',
      '2 TIME auth.login_failed anonymous:anonymous – failure',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('prints one JSON object a line with --json', async () => {
    const ids = await log.record(PATIENT_STORY);
    const lines = jsonLines((await indelible('tail', '--json')).stdout);
    expect(lines.map(({ id, index }) => ({ id, index }))).toEqual(ids.map((id, index) => ({ id, index })));
    expect(lines[1]).toMatchObject({ log: 'audit', event: { change: { after: { phone: '555-2' } } } });
    expect(lines[0]?.sealedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it('narrows by action, actor, outcome, category, type and log', async () => {
    await log.record([...PATIENT_STORY, { action: 'invoice.exported', context: { tenant: 'acme' } }]);
    const found = async (...args: string[]) =>
      actions((await indelible('tail', '--json', '--no-record', ...args)).stdout);
    expect(await found('--action', 'patient.updated')).toEqual(['patient.updated']);
    expect(await found('--actor', 'ada')).toEqual(['patient.created', 'patient.updated']);
    expect(await found('--outcome', 'failure')).toEqual(['auth.login_failed']);
    expect(await found('--category', 'auth')).toEqual(['auth.login_failed']);
    expect(await found('--type', 'Patient')).toEqual(['patient.created', 'patient.updated']);
    expect(await found('--log', 'audit/acme')).toEqual(['invoice.exported']);
  });

  it('refuses a category that there is not', async () => {
    const { code, stderr } = await indelible('tail', '--url', log.url, '--category', 'autn');
    expect(stderr).toMatch(/--category takes one of auth, .*, not 'autn'/);
    expect(code).toBe(3);
  });

  it('shows what is not sealed yet as pending', async () => {
    await log.record(PATIENT_STORY.slice(0, 1));
    const audit = log.audit({ hmacKey: SECRET, sealAfterMs: false });
    await audit.record({ action: 'import.finished' });
    await audit.close();
    const { stdout } = await indelible('tail', '--no-record');
    expect(stdout).toMatch(/^pending .* import\.finished/m);
  });
});

describe('indelible tail --follow', () => {
  it('prints each event that comes once, and ends with 0 when interrupted', async () => {
    await log.record(PATIENT_STORY);
    const child = startIndelible(['tail', '--follow', '--json', '--no-record', '-n', '1'], { cwd: log.cwd });
    const lines: string[] = [];
    const ended = outcomeOf(child);
    if (child.stdout === null) throw new Error('no stdout');
    const reader = createInterface(child.stdout).on('line', (line) => lines.push(line));
    await once(reader, 'line');

    // Seen while it is pending, then sealed: it must not come twice.
    const audit = log.audit({ hmacKey: SECRET, sealAfterMs: false });
    await audit.record({ action: 'import.started', actor: ADA });
    while (lines.length < 2) await once(reader, 'line');
    await audit.seal();
    await audit.record({ action: 'import.finished', actor: ADA });
    await audit.seal();
    while (lines.length < 3) await once(reader, 'line');
    await audit.record({ action: 'import.reported', actor: ADA, context: { tenant: 'acme' } });
    await audit.seal();
    while (lines.length < 4) await once(reader, 'line');
    await audit.close();

    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
    expect(actions(lines.join('\n'))).toEqual([
      'auth.login_failed',
      'import.started',
      'import.finished',
      'import.reported',
    ]);
  });
});

describe('indelible show', () => {
  it('prints one event in full', async () => {
    const ids = await log.record(PATIENT_STORY);
    const { code, stdout } = await indelible('show', String(ids[1]));
    for (const part of [
      String(ids[1]),
      'patient.updated',
      'user:ada',
      'Patient 7',
      'phone: "555-1" → "555-2"',
    ]) {
      expect(stdout).toContain(part);
    }
    expect(stdout).toMatch(/^index +1$/m);
    expect(code).toBe(0);
  });

  it('is one JSON object with --json', async () => {
    const ids = await log.record(PATIENT_STORY);
    const { stdout } = await indelible('show', '--json', String(ids[0]));
    expect(JSON.parse(stdout)).toMatchObject({ id: ids[0], index: 0, event: { action: 'patient.created' } });
  });

  it('answers 3 and AUDIT_NOT_FOUND where there is no such event', async () => {
    await log.record(PATIENT_STORY);
    const id = '0190a8d0-0000-7000-8000-000000000001';
    const { code, stdout, stderr } = await indelible('show', '--json', id);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'AUDIT_NOT_FOUND' } });
    expect(stdout).toBe('');
    expect(code).toBe(3);
  });
});

describe('indelible history', () => {
  it('prints all that happened to one resource and nothing of another', async () => {
    const others = [{ action: 'patient.created', resource: { type: 'Patient', id: '70' } }];
    await log.record([...PATIENT_STORY, ...others]);
    const { code, stdout } = await indelible('history', 'Patient', '7', '--json');
    expect(actions(stdout)).toEqual(['patient.created', 'patient.updated']);
    expect(code).toBe(0);
    const newest = await indelible('history', 'Patient', '7', '--limit', '1', '--json');
    expect(actions(newest.stdout)).toEqual(['patient.updated']);
  });

  it('goes through more events than one page holds', async () => {
    const audit = log.audit();
    await audit.migrate();
    const inputs = Array.from({ length: 1_201 }, (_, n) => ({
      action: 'patient.viewed',
      resource: { type: 'Patient', id: '7' },
      details: { n },
    }));
    await audit.recordAll(inputs);
    await audit.flush();
    await audit.close();
    const { stdout } = await indelible('history', 'Patient', '7', '--json', '--no-record');
    const seen = jsonLines(stdout).map(({ event }) =>
      Reflect.get(Object(Reflect.get(Object(event), 'details')), 'n'),
    );
    expect(seen).toEqual(inputs.map(({ details }) => details.n));
  });

  it('says so where nothing is recorded', async () => {
    await log.record(PATIENT_STORY);
    const { code, stdout, stderr } = await indelible('history', 'Patient', '8');
    expect(stdout).toBe('');
    expect(stderr).toContain('nothing is recorded of Patient 8');
    expect(code).toBe(0);
  });
});

describe('reading', () => {
  it('is recorded: who, which command, which filter, in the log that was read', async () => {
    const ids = await log.record(PATIENT_STORY);
    await indelible('tail', '--actor', 'ada');
    await indelible('show', String(ids[0]));
    await indelible('history', 'Patient', '7');
    expect(queries()).toMatchObject([
      { log: 'audit', details: { command: 'tail', filter: { actorId: 'ada' }, events: 2 } },
      { log: 'audit', details: { command: 'show', id: ids[0] } },
      { log: 'audit', details: { command: 'history', filter: { resourceType: 'Patient', resourceId: '7' } } },
    ]);
    for (const body of queries()) {
      expect(body).toMatchObject({ category: 'access', context: { source: 'cli' } });
      expect(body.actor).toMatchObject({ type: 'user', id: expect.stringMatching(/./) });
    }
    expect((await indelible('verify')).code).toBe(0);
  });

  it('needs no key and does not complain about that', async () => {
    await log.record(PATIENT_STORY);
    const env = { AUDIT_HMAC_KEY: undefined };
    const { code, stdout, stderr } = await runIndelible(['history', 'Patient', '7', '--json'], {
      cwd: log.cwd,
      env,
    });
    expect(actions(stdout)).toHaveLength(2);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(queries()).toHaveLength(1);
  });

  it("of one tenant's events is recorded in that tenant's log", async () => {
    await log.record([
      { action: 'invoice.exported', resource: { type: 'Invoice', id: '1' }, context: { tenant: 'a/c me' } },
    ]);
    await indelible('history', 'Invoice', '1');
    const [event, query] = log.bodies();
    expect(query).toMatchObject({ action: 'audit.queried', log: event?.log, context: { tenant: 'a/c me' } });
  });

  it('leaves no event with --no-record', async () => {
    const ids = await log.record(PATIENT_STORY);
    await indelible('tail', '--no-record');
    await indelible('show', '--no-record', String(ids[0]));
    await indelible('history', '--no-record', 'Patient', '7');
    expect(log.bodies()).toHaveLength(PATIENT_STORY.length);
  });

  it('answers all the same where the database can not be written, and says that it was not recorded', async () => {
    await log.record(PATIENT_STORY);
    log.tamper(
      "CREATE TRIGGER full BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'no more events'); END",
    );
    const { code, stdout, stderr } = await indelible('history', 'Patient', '7', '--json');
    expect(actions(stdout)).toEqual(['patient.created', 'patient.updated']);
    expect(stderr).toContain('this reading was not recorded');
    expect(code).toBe(0);
  });
});

describe('a hostile event', () => {
  const ESC = '\u001b[2J\u001b]0;owned\u0007';

  it('reaches neither the terminal nor the JSON unescaped', async () => {
    const [id] = await log.record([
      {
        action: 'patient.updated',
        actor: { type: 'user', id: `ada${ESC}` },
        resource: { type: 'Patient', id: `7\n0 VALID\u009b31m` },
        reason: ESC,
        change: {
          operation: 'update',
          before: { [ESC]: ESC },
          after: { [ESC]: '\u202e' },
          fidelity: 'exact',
        },
        details: { [ESC]: ESC },
      },
    ]);
    for (const args of [['tail'], ['show', String(id)], ['tail', '--json'], ['show', '--json', String(id)]]) {
      const { stdout } = await indelible(...args, '--no-record');
      expect(stdout).toContain('\\u001b[2J');
      expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    }
  });
});
