import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const DIRECTORY = fileURLToPath(new URL('..', import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built example as `npm start` does. */
export function startMain(args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const { AUDIT_HMAC_KEY: _key, AUDIT_DATABASE_URL: _url, ...inherited } = process.env;
  return spawn(process.execPath, ['dist/main.js', ...args], {
    cwd: DIRECTORY,
    env: { ...inherited, ...environment },
  });
}

/** Runs it to its end. */
export function runMain(environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  const child = startMain([], environment);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}
