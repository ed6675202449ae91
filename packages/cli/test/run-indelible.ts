import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const SECRET = 'the secret of the command line tests';

const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** As a user without rights of its own, where the tests run as root; else as the user of the tests. */
  readonly asNobody?: boolean;
}

const NOBODY = { uid: 65_534, gid: 65_534 };

/** The command in a process of its own, with the secret and nothing else of the audit in its environment. */
export function startIndelible(
  args: readonly string[],
  { cwd, env = {}, asNobody = false }: RunOptions,
): ChildProcess {
  // NODE_PATH is set by the package manager that started the tests: it would let core find packages that it can not see.
  const { AUDIT_DATABASE_URL: _, NO_COLOR: __, NODE_PATH: ___, ...inherited } = process.env;
  return spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { ...inherited, AUDIT_HMAC_KEY: SECRET, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(asNobody && process.getuid?.() === 0 ? NOBODY : {}),
  });
}

export function runIndelible(args: readonly string[], options: RunOptions): Promise<Outcome> {
  return outcomeOf(startIndelible(args, options));
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** The values of NDJSON output. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
