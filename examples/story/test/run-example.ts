import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A preloaded module by which one request never reaches the example: the one whose address ends like this. */
export function losing(ending: string): NodeJS.ProcessEnv {
  const module = fileURLToPath(new URL('lost-request.mjs', import.meta.url));
  return { NODE_OPTIONS: `--import=${module}`, LOST_REQUEST: ending };
}

/** Starts a built example as `npm start` does, and runs it to its end. */
export function runExample(name: string, environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  const { AUDIT_HMAC_KEY: _key, AUDIT_DATABASE_URL: _url, ...inherited } = process.env;
  const child = spawn(process.execPath, ['dist/main.js'], {
    cwd: fileURLToPath(new URL(`../../${name}`, import.meta.url)),
    env: { ...inherited, ...environment },
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...output }));
  });
}
