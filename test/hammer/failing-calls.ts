import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCallsTarget } from './calls-target.js';
import { start, WORKER } from './processes.js';
import { Promises } from './promises.js';
import { prove } from './prove.js';

const HMAC_KEY = 'the secret of the failing calls, longer than thirty-two bytes';
/**
 * What touches files and nothing else, and how it fails. No reads: libsql 0.5.29 takes what stood in its buffer before for a
 * page that could not be read, so what such a disk leaves of a file is not ours to keep whole.
 */
const FAULTS = [
  ['pwrite64', 'ENOSPC'],
  ['pwrite64', 'EIO'],
  ['fsync', 'EIO'],
  ['fdatasync', 'EIO'],
  ['ftruncate', 'EIO'],
  ['fallocate', 'ENOSPC'],
  ['unlink', 'EIO'],
  ['rename', 'EIO'],
  ['fcntl', 'EIO'],
] as const;
const OPERATIONS = 12;
/** A store that somebody has locked has failed after this. */
const TIMEOUT_MS = 400;

const STORE = 'a store that answers';
const SPOOL = 'a store that is locked at first, so that the spool is used';
type Scene = typeof STORE | typeof SPOOL;

export interface CallsOptions {
  readonly seed: number;
  /** At most so many calls of each kind are made to fail, evenly over the run. @default all */
  readonly most: number;
}

export interface CallsResult {
  /** How many calls were made to fail, by call and error; where strace is missing, none. */
  readonly failedCalls: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
  readonly canInject: boolean;
}

/**
 * Runs one process on a SQLite file again and again; each time another one of its system calls fails, once. After each run
 * a healthy process takes over and proves what must hold.
 */
export async function sweepCalls({ seed, most }: CallsOptions): Promise<CallsResult> {
  const failedCalls = new Map<string, number>();
  const problems: string[] = [];
  if (!hasStrace()) return { failedCalls, problems, canInject: false };
  for (const scene of [STORE, SPOOL] as const) {
    const healthy = await runOnce(scene, seed, []);
    problems.push(...healthy.problems.map((problem) => `${scene}, nothing fails: ${problem}`));
    for (const [call, error] of FAULTS) {
      const total = healthy.calls.get(call) ?? 0;
      const step = Math.max(1, Math.ceil(total / most));
      const name = `${call}: ${error}, ${scene}`;
      for (let n = 1; n <= total; n += step) {
        const found = await runOnce(scene, seed, ['-e', `inject=${call}:error=${error}:when=${n}`]);
        failedCalls.set(name, (failedCalls.get(name) ?? 0) + found.injected);
        problems.push(...found.problems.map((problem) => `${name}, number ${n}: ${problem}`));
      }
    }
  }
  return { failedCalls, problems, canInject: true };
}

export function renderCalls({ failedCalls, problems, canInject }: CallsResult): string {
  const lines = ['System calls that fail one by one, on a SQLite file and its spool'];
  lines.push('  NOT INJECTED  reads: libsql goes on with another page where one fails');
  if (!canInject) lines.push('  NOT INJECTED  strace is missing or may not trace here');
  for (const [name, count] of failedCalls) lines.push(`  ${String(count).padStart(9)}  ${name}`);
  lines.push(problems.length === 0 ? ' proven after each' : ` ${problems.length} problems`);
  for (const problem of problems.slice(0, 40)) lines.push(`  ${problem}`);
  return `${lines.join('\n')}\n`;
}

function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

interface Run {
  readonly calls: ReadonlyMap<string, number>;
  readonly injected: number;
  readonly problems: readonly string[];
}

/** @param inject how strace is told which call fails; nothing: none does */
async function runOnce(scene: Scene, seed: number, inject: readonly string[]): Promise<Run> {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-calls-'));
  const spool = join(directory, 'spool');
  const target = await openCallsTarget(directory, HMAC_KEY);
  const promises = new Promises();
  try {
    if (scene === SPOOL) target.lock();
    const names = [...new Set(FAULTS.map(([call]) => call))].join(',');
    const trace = join(directory, 'trace');
    const options = ['-f', '-qq', '-o', trace, '-e', `trace=${names}`, ...inject];
    const ways = [
      'sqlite',
      target.url,
      spool,
      'p',
      String(seed),
      '1',
      String(OPERATIONS),
      String(TIMEOUT_MS),
    ];
    const { process: child, ended } = start(
      'strace',
      [...options, process.execPath, WORKER, ...ways],
      HMAC_KEY,
      (line) => {
        promises.read(line);
        // What was promised while the store was locked stands in the spool, and is replayed from now on.
        if (promises.recorded > 2) target.unlock();
      },
      () => {},
    );
    const patience = setTimeout(() => target.unlock(), 4_000);
    const tooLong = setTimeout(() => child.kill('SIGKILL'), 60_000);
    await ended;
    clearTimeout(patience);
    clearTimeout(tooLong);
    target.unlock();
    const { calls, injected } = readTrace(trace);
    const { problems } = await prove(target, promises, HMAC_KEY, spool);
    return { calls, injected, problems };
  } finally {
    await target.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function readTrace(file: string): { calls: ReadonlyMap<string, number>; injected: number } {
  const calls = new Map<string, number>();
  let injected = 0;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const call = /^\d+ +(\w+)\(/.exec(line)?.[1];
    if (call !== undefined) calls.set(call, (calls.get(call) ?? 0) + 1);
    if (line.endsWith('(INJECTED)')) injected += 1;
  }
  return { calls, injected };
}
