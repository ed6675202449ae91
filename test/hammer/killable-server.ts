import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE_MS = 90_000;

/** The user that a server runs as where these tests run as root. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** A database server of our own, to be killed. */
export interface KillableServer {
  /** kill -9 on it and all of its processes at once. */
  crash(): Promise<void>;
  /** Starts it, and again where it ends while it recovers, until it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly user: ServerUser;
  readonly stopSignal: NodeJS.Signals;
  /** Whether it answers queries. */
  readonly answers: () => Promise<boolean>;
}

export function createKillableServer(program: ServerProgram): KillableServer {
  let server: ChildProcess | undefined;
  const isGone = (): boolean =>
    server === undefined || server.exitCode !== null || server.signalCode !== null;
  const gone = async (): Promise<void> => {
    if (!isGone()) await new Promise((resolve) => server?.once('exit', resolve));
  };
  return {
    async crash() {
      // Children would end by themselves, but with a shutdown of their own.
      const pid = server?.pid;
      const children = pid === undefined ? [] : childrenOf(pid);
      for (const victim of [pid, ...children]) if (victim !== undefined) tryKill(victim);
      await gone();
      for (const child of children) await hasEnded(child);
    },
    async start() {
      for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await pause(100)) {
        if (isGone()) {
          const { command, args, user } = program;
          server = spawn(command, args, { stdio: 'ignore', cwd: '/', ...user });
          server.on('error', () => {});
        }
        if (await program.answers()) return;
      }
      throw new Error(`${program.command} does not come up: ${program.args.join(' ')}`);
    },
    async stop() {
      server?.kill(program.stopSignal);
      await gone();
    },
  };
}

/** The first of these users that there is; nobody in particular where these tests do not run as root. */
export function findUser(names: readonly string[]): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of names) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`none of the users ${names.join(', ')} exists`);
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function hasEnded(pid: number): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(10);
  }
}
