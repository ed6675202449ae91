import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when it has ended and all that it said was read. */
  readonly ended: Promise<void>;
}

/** Starts a program and hands on what it says, line by line. */
export function start(
  command: string,
  args: readonly string[],
  hmacKey: string,
  onLine: (line: string) => void,
  onComplaint: (text: string) => void,
): Child {
  const { NODE_PATH: _, ...inherited } = process.env;
  const child = spawn(command, args, {
    env: { ...inherited, AUDIT_HMAC_KEY: hmacKey },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  child.stderr.setEncoding('utf8').on('data', onComplaint);
  child.on('error', (error) => onComplaint(error.message));
  return { process: child, ended: new Promise((resolve) => child.once('close', () => resolve())) };
}
