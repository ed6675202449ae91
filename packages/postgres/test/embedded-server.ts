import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PATIENCE_MS = 60_000;
const KEEPER = fileURLToPath(new URL('./server-keeper.mjs', import.meta.url));

/**
 * The URL of the embedded PostgreSQL of this test run: the first process that asks starts it, the others share it, and it
 * ends with the run.
 *
 * @throws Error with what the server said, where it does not start
 */
export async function startEmbeddedServer(): Promise<string> {
  // A worker of vitest goes before the run does.
  const owner = process.env.VITEST === undefined ? process.pid : process.ppid;
  const directory = join(tmpdir(), `indelible-postgres-${owner}`);
  if (makeDirectory(directory)) {
    spawn(process.execPath, [KEEPER, directory, String(owner)], { detached: true, stdio: 'ignore' }).unref();
  }
  const file = join(directory, 'ready.json');
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; ) {
    if (existsSync(file)) return readAnswer(readFileSync(file, 'utf8'));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the embedded PostgreSQL has not started within ${PATIENCE_MS} ms; see ${directory}`);
}

function makeDirectory(path: string): boolean {
  try {
    // The server runs as another user where the tests run as root.
    mkdirSync(path, { mode: 0o755 });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

function readAnswer(text: string): string {
  const answer: unknown = JSON.parse(text);
  if (typeof answer !== 'object' || answer === null)
    throw new Error('the keeper of the server wrote nonsense');
  if ('url' in answer && typeof answer.url === 'string') return answer.url;
  throw new Error(
    `the embedded PostgreSQL does not start: ${'error' in answer ? String(answer.error) : text}`,
  );
}
