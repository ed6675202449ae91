import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('./children/script.mjs', import.meta.url));
const SECRET = 'the secret of scripts that just end';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'indelible-script-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The code that a script ended with, and how long after the start; null where it had to be killed. */
function run(...args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    env: { ...process.env, AUDIT_HMAC_KEY: SECRET },
    stdio: 'ignore',
    timeout: 10_000,
    killSignal: 'SIGKILL',
  });
  return new Promise((resolve) => child.on('exit', resolve));
}

const WAYS = [
  ['awaits', 0],
  ['does not wait', 0],
  ['records later', 0],
  ['exits while it writes', 0],
  ['throws while it writes', 1],
] as const;

it.each(WAYS.flatMap(([way, code]) => [true, false].map((worker) => [way, worker, code] as const)))(
  'a script that %s, with a thread: %s, ends by itself and loses nothing that was said to be safe',
  async (way, worker, code) => {
    const file = join(directory, `${way.replaceAll(' ', '-')}-${worker}.db`);
    expect(await run(file, String(worker), way)).toBe(code);
    const store = createSqliteStore({ file });
    const audit = createAudit({
      store,
      hmacKey: SECRET,
      lifecycleEvents: false,
      spool: { directory: `${file}.spool` },
    });
    await audit.seal();
    const [verdict] = await audit.verify();
    expect(verdict).toMatchObject({ result: 'valid', findings: [] });
    // The many of one call are there together or not at all.
    expect([1, 3_001]).toContain(verdict?.size);
    await audit.close();
    await store.close();
  },
);
