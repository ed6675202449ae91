import { chownSync, cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createMysqlStore } from '@indelible/mysql';
import { createPostgresStore } from '@indelible/postgres';
import { expect, test } from 'vitest';
import { withRaw as withMysqlRaw } from '../../../packages/mysql/test/raw-connection.js';
import { describeMysql, type TestMysql } from '../../../packages/mysql/test/test-mysql.js';
import { withRaw } from '../../../packages/postgres/test/raw-connection.js';
import { describePostgres, type TestPostgres } from '../../../packages/postgres/test/test-postgres.js';
import { findUser } from '../../hammer/killable-server.js';
import { createSmallDisk, type SmallDisk } from '../../hammer/small-disk.js';
import { type Outage, outageSuite } from './outage-suite.js';

const DISK_MEGABYTES = 48;
/** More than a page of either server. */
const EVENT_BYTES = 36_000;

/** Where no disk can be mounted, as without root, it says so. */
const canMount = ((): boolean => {
  const disk = createSmallDisk(1);
  disk.remove();
  return disk.canFill;
})();

function placeOn(disk: SmallDisk, user: string): string {
  const directory = join(disk.directory, 'data');
  mkdirSync(directory, { mode: 0o700 });
  const { uid, gid } = findUser([user]);
  // Its parent too: who drops the database removes the directory.
  for (const folder of [disk.directory, directory]) if (uid !== undefined) chownSync(folder, uid, gid ?? uid);
  return directory;
}

/** The database in a tablespace on a disk of its own; what the server writes ahead stays where it is. */
async function onPostgres(server: TestPostgres): Promise<Outage> {
  const disk = createSmallDisk(DISK_MEGABYTES);
  const directory = placeOn(disk, 'postgres');
  const database = await server.createDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await withRaw(server.url, async (raw) => {
    await raw.all(`CREATE TABLESPACE ${name} LOCATION '${directory}'`);
    await raw.all(`ALTER DATABASE ${name} SET TABLESPACE ${name}`);
  });
  const store = createPostgresStore({ url: database.url, roles: false });
  await store.migrate();
  return {
    store,
    begin: () => disk.fill(),
    end: () => disk.free(),
    bodies: () =>
      withRaw(database.url, async (raw) =>
        (await raw.all('SELECT body FROM audit.audit_event ORDER BY id')).map(({ body }) => body as Buffer),
      ),
    dispose: async () => {
      disk.free();
      await store.close();
      await database.drop();
      await withRaw(server.url, async (raw) => void (await raw.all(`DROP TABLESPACE ${name}`)));
      disk.remove();
    },
  };
}

/** The same by a link, which is how MariaDB takes a database on another disk. */
async function onMysql(server: TestMysql): Promise<Outage> {
  const disk = createSmallDisk(DISK_MEGABYTES);
  const directory = placeOn(disk, 'mysql');
  const database = await server.createDatabase();
  const [row] = await withMysqlRaw(server.url, (raw) => raw.all('SELECT @@datadir AS place'));
  const link = join(String(row?.place), new URL(database.url).pathname.slice(1));
  cpSync(link, directory, { recursive: true });
  rmSync(link, { recursive: true });
  symlinkSync(directory, link);
  const store = createMysqlStore({ url: database.url });
  await store.migrate();
  return {
    store,
    begin: () => disk.fill(),
    end: () => disk.free(),
    bodies: () =>
      withMysqlRaw(database.url, async (raw) =>
        (await raw.all('SELECT body FROM audit_event ORDER BY id')).map(({ body }) => body as Buffer),
      ),
    dispose: async () => {
      disk.free();
      await store.close();
      await database.drop();
      rmSync(link, { recursive: true, force: true });
      disk.remove();
    },
  };
}

function fullDisk(factory: () => Promise<Outage>, codes: readonly string[]): void {
  if (canMount) {
    outageSuite({
      factory,
      codes,
      readable: true,
      eventBytes: EVENT_BYTES,
    });
    return;
  }
  console.warn("[indelible/test] 'a full disk' did NOT run: no tmpfs can be mounted here.");
  test('nothing of this ran: no disk can be mounted', () => {
    const disk = createSmallDisk(1);
    disk.remove();
    expect(disk.canFill).toBe(false);
  });
}

describePostgres('a store on a server whose disk is full', (server) =>
  fullDisk(() => onPostgres(server), ['AUDIT_STORE_UNAVAILABLE']),
);
// MariaDB tries for a while before it says that the table is full.
describeMysql('a store on a server whose disk is full', (server) =>
  fullDisk(() => onMysql(server), ['AUDIT_STORE_UNAVAILABLE', 'AUDIT_STORE_TIMEOUT']),
);
