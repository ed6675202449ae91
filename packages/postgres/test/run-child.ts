import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly process: ChildProcess;
  /** The lines printed so far. */
  readonly lines: string[];
  /** @throws Error with what it wrote to stderr, if it failed by itself */
  readonly done: Promise<'ended' | 'killed'>;
}

/** Starts a script of test/child, or the one of this URL, in a process of its own. It uses the built package. */
export function startChild(script: string | URL, args: readonly string[]): Child {
  const path = fileURLToPath(
    typeof script === 'string' ? new URL(`./child/${script}`, import.meta.url) : script,
  );
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let rest = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const done = new Promise<'ended' | 'killed'>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve('ended');
      else if (signal === 'SIGKILL') resolve('killed');
      else reject(new Error(`${script} ended with ${code ?? signal}: ${errors}`));
    });
  });
  return { process: child, lines, done };
}
