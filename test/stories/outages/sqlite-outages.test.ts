import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore } from '@indelible/sqlite';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { type Outage, outageSuite } from './outage-suite.js';

interface Place {
  readonly directory: string;
  readonly file: string;
}

/** A log in a file of its own directory, which `fail` spoils and what that returns repairs. */
async function inFile(
  { directory, file }: Place,
  fail: (place: Place) => () => void,
  dispose: () => void,
): Promise<Outage> {
  const store = createSqliteStore({ file, driver: 'libsql', worker: false, busyTimeoutMs: 300 });
  await store.migrate();
  let repair = () => {};
  return {
    store,
    begin: () => {
      repair = fail({ directory, file });
    },
    end: () => repair(),
    bodies: async () => {
      if (!existsSync(file)) return [];
      const database = new Database(file, { readonly: true });
      try {
        const rows = database.prepare('SELECT body FROM audit_event ORDER BY id').raw().all() as unknown[][];
        return rows.map(([body]) => body as Uint8Array);
      } finally {
        database.close();
      }
    },
    dispose: async () => {
      await store.close();
      dispose();
    },
  };
}

function makePlace(): Place {
  const directory = join(mkdtempSync(join(tmpdir(), 'indelible-outages-')), 'data');
  mkdirSync(directory);
  return { directory, file: join(directory, 'audit.db') };
}

const remove = ({ directory }: Place) => rmSync(join(directory, '..'), { recursive: true, force: true });

describe('a store in a file', () => {
  describe('that another transaction holds', () => {
    outageSuite({
      factory: () => {
        const place = makePlace();
        return inFile(
          place,
          ({ file }) => {
            const holder = new Database(file);
            holder.exec('BEGIN IMMEDIATE');
            return () => {
              holder.exec('COMMIT');
              holder.close();
            };
          },
          () => remove(place),
        );
      },
      codes: ['AUDIT_STORE_TIMEOUT', 'AUDIT_STORE_UNAVAILABLE'],
      readable: true,
    });
  });

  describe('whose directory is gone for a while', () => {
    outageSuite({
      factory: () => {
        const place = makePlace();
        return inFile(
          place,
          ({ directory }) => {
            renameSync(directory, `${directory}.away`);
            return () => renameSync(`${directory}.away`, directory);
          },
          () => remove(place),
        );
      },
      codes: ['AUDIT_STORE_UNAVAILABLE', 'AUDIT_TABLES_MISSING'],
    });
  });

  const place = tryMountSmallDisk();
  if (place === null) {
    console.warn("[indelible/test] 'a store on a full disk' did NOT run: no tmpfs can be mounted here.");
    test('nothing of a full disk ran: mounting one says why', () => {
      expect(() => mountSmallDisk(mkdtempSync(join(tmpdir(), 'indelible-no-disk-')))).toThrow();
    });
  } else {
    umount(place.directory);
    describe('on a disk that is full', () => {
      outageSuite({
        factory: async () => {
          const disk = tryMountSmallDisk();
          if (disk === null) throw new Error('the disk could be mounted a moment ago');
          return inFile(
            disk,
            ({ directory }) => {
              const filler = join(directory, 'filler');
              writeFileSync(filler, '');
              fill(directory, filler);
              return () => truncateSync(filler, 0);
            },
            () => umount(disk.directory),
          );
        },
        codes: ['AUDIT_STORE_UNAVAILABLE'],
        readable: true,
      });
    });
  }
});

function mountSmallDisk(directory: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory], { stdio: 'pipe' });
}

function tryMountSmallDisk(): Place | null {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-small-disk-'));
  try {
    mountSmallDisk(directory);
    return { directory, file: join(directory, 'audit.db') };
  } catch {
    return null;
  }
}

function umount(directory: string): void {
  execFileSync('umount', ['-l', directory], { stdio: 'pipe' });
  rmSync(directory, { recursive: true, force: true });
}

/** To the last page, also of what the file system gives back meanwhile. */
function fill(directory: string, filler: string): void {
  for (let size = 4_096; ; size += 4_096) {
    const { bavail } = statfsSync(directory);
    if (bavail === 0) return;
    writeFileSync(filler, Buffer.alloc(size + bavail * 4_096 - 4_096), { flush: true });
  }
}
