import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FINDINGS } from '../src/finding.js';
import { bundleOf, checkpointOf, entriesOf, eventOf, eventsOf, gzip, makeKey, tarOf } from './evidence.js';
import { temporaryDirectory } from './verified.js';

const PACKAGE = join(dirname(fileURLToPath(import.meta.url)), '..');
const LOG = 'audit/north';
const KEY = makeKey(LOG);

/** Runs the command as it is built. */
function run(directory: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(PACKAGE, 'dist/bin.js'), ...args], {
    cwd: directory,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

function prepared(bodies: readonly string[], shown = bodies): string {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'policy.txt'), `log ${KEY.vkey}\n`);
  const members = bundleOf(checkpointOf(LOG, bodies, KEY), entriesOf(shown, 1_000));
  writeFileSync(join(directory, 'log.tar.gz'), gzip(tarOf(members)));
  return directory;
}

describe('the command', () => {
  it('verifies a bundle, in threads where it is large', () => {
    const directory = prepared(eventsOf(LOG, 60_000));
    for (const threads of ['0', '1', '3']) {
      const { status, stdout, stderr } = run(
        directory,
        'log.tar.gz',
        '--policy',
        'policy.txt',
        '--threads',
        threads,
      );
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^VALID {2}log of audit\/north\n.*60000 entries/s);
      expect(status).toBe(0);
    }
  });

  it('finds in threads what it finds alone', () => {
    const bodies = eventsOf(LOG, 60_000);
    bodies[40_000] = eventOf('audit/south', 40_000);
    bodies[59_000] = eventOf(LOG, 17);
    const directory = prepared(bodies);
    const verdicts = ['0', '2'].map((threads) => {
      const { status, stdout } = run(
        directory,
        'log.tar.gz',
        '--policy',
        'policy.txt',
        '--json',
        '--threads',
        threads,
      );
      expect(status).toBe(1);
      return JSON.parse(stdout);
    });
    expect(verdicts[1]).toEqual(verdicts[0]);
    expect(
      verdicts[1].findings.map(({ code, index }: { code: string; index: number }) => [code, index]),
    ).toEqual([
      ['AUDIT_LOG_MISMATCH', 40_000],
      ['AUDIT_ENTRY_DUPLICATE', 59_000],
    ]);
  });

  it('finds anchors beside the policy, wherever it is called from', () => {
    const bodies = eventsOf(LOG, 10);
    const directory = prepared(bodies);
    mkdirSync(join(directory, 'trust'));
    writeFileSync(join(directory, 'trust/kept'), checkpointOf(LOG, bodies.slice(0, 4), KEY));
    writeFileSync(join(directory, 'trust/policy.txt'), `log ${KEY.vkey}\nanchor kept\n`);
    const { status, stdout } = run(directory, 'log.tar.gz', '--policy', 'trust/policy.txt');
    expect(stdout).toContain('continues    checkpoints of 4 entries that you hold');
    expect(status).toBe(0);
  });

  it('takes the event of a proof from a file', () => {
    const directory = temporaryDirectory();
    const body = eventOf(LOG, 1);
    writeFileSync(join(directory, 'policy.txt'), `log ${KEY.vkey}\n`);
    writeFileSync(join(directory, 'event.json'), body);
    const proof = `c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpointOf(LOG, [body], KEY)}`;
    writeFileSync(join(directory, 'event.tlog-proof'), proof);
    const args = ['event.tlog-proof', '--policy', 'policy.txt'];
    expect(run(directory, ...args, '--event', 'event.json').status).toBe(0);
    expect(run(directory, ...args).status).toBe(1);
  });

  it('ends with 1 where something is held against the file', () => {
    const { status, stdout } = run(
      prepared(eventsOf(LOG, 5), eventsOf(LOG, 4)),
      'log.tar.gz',
      '--policy',
      'policy.txt',
    );
    expect(stdout).toMatch(/^INVALID .*AUDIT_ENTRY_MISSING {2}index 4/s);
    expect(status).toBe(1);
  });

  it('ends with 2 where it could not be told', () => {
    const directory = prepared(eventsOf(LOG, 5));
    writeFileSync(join(directory, 'newer'), `old 3\n\n${checkpointOf(LOG, eventsOf(LOG, 3), KEY)}`);
    expect(run(directory, 'newer', '--policy', 'policy.txt').status).toBe(2);
  });

  it.each([
    ['no policy', ['log.tar.gz']],
    ['no file', ['--policy', 'policy.txt']],
    ['a file that is not there', ['nowhere', '--policy', 'policy.txt']],
    ['a policy that is not there', ['log.tar.gz', '--policy', 'nowhere']],
    ['a policy that is none', ['log.tar.gz', '--policy', 'log.tar.gz']],
    ['an unknown option', ['log.tar.gz', '--policy', 'policy.txt', '--trust-me']],
  ])('ends with 3 for %s', (_, args) => {
    const { status, stdout, stderr } = run(prepared(eventsOf(LOG, 2)), ...args);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^indelible-verify: /);
    expect(status).toBe(3);
  });

  it('does not let an event steer the terminal', () => {
    const directory = prepared([eventOf(LOG, 1, { log: 'x\u009b2J\u202e' })]);
    for (const further of [[], ['--json']]) {
      const { stdout } = run(directory, 'log.tar.gz', '--policy', 'policy.txt', ...further);
      expect(stdout).toContain('\\u009b');
      expect(stdout).not.toMatch(/[\u009b\u202e]/);
    }
  });

  it('reads what the tar of the system has packed', () => {
    const bodies = eventsOf(LOG, 5);
    const directory = prepared(bodies);
    mkdirSync(join(directory, 'entries'));
    for (const { name, content } of bundleOf(checkpointOf(LOG, bodies, KEY), entriesOf(bodies, 2)))
      writeFileSync(join(directory, name), content);
    const names = [
      'indelible-bundle',
      'checkpoint',
      ...[0, 2, 4].map((at) => `entries/00000000000${at}.ndjson`),
    ];
    const { status } = spawnSync('tar', ['--format=ustar', '-czf', 'repacked.tar.gz', ...names], {
      cwd: directory,
    });
    expect(status).toBe(0);
    expect(run(directory, 'repacked.tar.gz', '--policy', 'policy.txt').stdout).toMatch(/^VALID /);
  });
});

describe('the README', () => {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8');

  it('has every code and no other', () => {
    const listed = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*) \|$/gm)].map(([, code, means]) => [
      code,
      means,
    ]);
    expect(Object.fromEntries(listed)).toEqual(FINDINGS);
  });

  it('has the help of the command', () => {
    expect(readme).toContain(`\`\`\`text\n${run(PACKAGE, '--help').stdout}\`\`\``);
  });
});
