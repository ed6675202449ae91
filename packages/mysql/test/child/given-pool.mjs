// An application with a pool of the mariadb driver. Argument: JSON with `url`, `options` of the pool, and what it does (`work`).
// It prints what the other side has to know, and `alive` at the end.
import { setTimeout as pause } from 'node:timers/promises';
import mariadb from 'mariadb';
import { makeEvents } from '../../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../../dist/index.js';

const { url, options = {}, work, listens = false, hasStore = false } = JSON.parse(process.argv[2]);
const { hostname, port, username, password, pathname } = new URL(url);
const pool = mariadb.createPool({
  host: hostname,
  port: Number(port),
  user: decodeURIComponent(username),
  password: decodeURIComponent(password),
  database: pathname.slice(1),
  connectionLimit: 1,
  connectTimeout: 2_000,
  ...options,
});
if (listens) pool.on('connection', (connection) => connection.on('error', () => {}));
async function until(isReached) {
  while (!(await isReached())) await pause(20);
}

const store = hasStore ? createMysqlStore({ pool, callTimeoutMs: 400 }) : undefined;

if (work === 'connect') {
  await pool.query('SELECT 1').catch(() => {});
} else if (work === 'idle') {
  const [{ id }] = await pool.query('SELECT CONNECTION_ID() AS id');
  console.log(String(id));
  await until(() => pool.idleConnections() === 0);
  // What comes behind the reason.
  await pause(300);
} else {
  await store.check();
  console.log('ready');
  await until(async () => (await pool.query('SHOW OPEN TABLES WHERE In_use > 0')).length > 0);
  const told = await store.append(makeEvents(1, 0, 1)).catch(({ code }) => code);
  console.log(typeof told === 'string' ? told : 'appended');
  await pause(700);
}
console.log('alive');
process.exit(0);
