import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { auditErrorCode } from '../src/audit-error.js';
import { createMemoryStore } from '../src/memory-store.js';
import { Spool, type SpoolOptions } from '../src/spool.js';
import { spoolFileName } from '../src/spool-file.js';
import { encodeFrame } from '../src/spool-frame.js';
import { isSpoolOwnerGone, ownSpoolOwner } from '../src/spool-owner.js';
import { spoolTarget } from '../src/spool-target.js';
import { temporaryDirectory } from './temporary-directory.js';

const TARGET = 'aabbccdd';

function payload(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

interface Damage {
  readonly code: string | undefined;
  readonly lost: number;
}

function openSpool(
  directory: string,
  options: Partial<SpoolOptions> = {},
): { spool: Spool; damages: Damage[] } {
  const damages: Damage[] = [];
  const spool = new Spool({
    directory,
    maxBytes: 1_000_000,
    maxEvents: 1_000_000,
    target: TARGET,
    onDamage: (error, lost) => damages.push({ code: auditErrorCode(error), lost }),
    ...options,
  });
  return { spool, damages };
}

async function readAll(spool: Spool, limit = 2): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const some = await spool.peek(limit);
    if (some.length === 0) return all;
    all.push(...some.map((bytes) => Buffer.from(bytes).toString()));
    spool.confirm(some.length);
  }
}

/** A file as a process that is gone would have left it. */
function leaveFile(directory: string, texts: readonly string[], key = '1700000000000.00000001'): string {
  const owner = { ...ownSpoolOwner(), pid: 4_000_000, started: '1' };
  const path = `${directory}/${spoolFileName(key, TARGET, owner)}`;
  writeFileSync(path, Buffer.concat(texts.map((text) => encodeFrame(payload(text)))));
  return path;
}

describe('the spool', () => {
  test('gives back in order what was written, and is empty on disk then', async () => {
    const directory = temporaryDirectory();
    const { spool } = openSpool(directory);
    for (const text of ['a', 'b', 'c']) await spool.write([payload(text)]);
    await Promise.all(['d', 'e', 'f'].map((text) => spool.write([payload(text)])));
    expect(spool.size).toBe(6);
    expect(await readAll(spool)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(spool.isEmpty).toBe(true);
    expect(spool.size).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('repeats what was not confirmed', async () => {
    const { spool } = openSpool(temporaryDirectory());
    await spool.write([payload('a'), payload('b'), payload('c')]);
    expect(await spool.peek(2)).toHaveLength(2);
    spool.confirm(1);
    expect(await readAll(spool)).toEqual(['b', 'c']);
  });

  test('takes what is written while it is read', async () => {
    const { spool } = openSpool(temporaryDirectory());
    await spool.write([payload('a')]);
    await spool.peek(10);
    await spool.write([payload('b')]);
    expect(await readAll(spool)).toEqual(['a', 'b']);
  });

  test('is readable by its owner only', async () => {
    const directory = `${temporaryDirectory()}/deep/spool`;
    const { spool } = openSpool(directory);
    await spool.write([payload('a')]);
    const [name = ''] = readdirSync(directory);
    expect(statSync(`${directory}/${name}`).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  test('many writers share few files and lose nothing', async () => {
    const { spool } = openSpool(temporaryDirectory(), { maxBytes: 20_000_000 });
    const texts = Array.from({ length: 400 }, (_, at) => `${at}`.padStart(20_000, '.'));
    await Promise.all(texts.map((text) => spool.write([payload(text)])));
    expect(await readAll(spool, 50)).toEqual(texts);
  });

  test('refuses what goes beyond its limit, and takes events again once it was read', async () => {
    const { spool } = openSpool(temporaryDirectory(), { maxBytes: 100 });
    await spool.write([payload('x'.repeat(60))]);
    await expect(spool.write([payload('y'.repeat(60))])).rejects.toMatchObject({ code: 'AUDIT_SPOOL_FULL' });
    expect(await readAll(spool)).toHaveLength(1);
    await spool.write([payload('y'.repeat(60))]);
    expect(spool.size).toBe(1);
  });

  test('refuses concurrent writes that go beyond its limit together', async () => {
    const { spool } = openSpool(temporaryDirectory(), { maxBytes: 100 });
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => spool.write([payload('x'.repeat(60))])));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  test('refuses more events than its limit, together and one after the other', async () => {
    const { spool } = openSpool(temporaryDirectory(), { maxEvents: 3 });
    await spool.write([payload('a')]);
    const outcomes = await Promise.allSettled(['b', 'c', 'd'].map((text) => spool.write([payload(text)])));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    await expect(spool.write([payload('e')])).rejects.toMatchObject({ code: 'AUDIT_SPOOL_FULL' });
    expect(await readAll(spool)).toEqual(['a', 'b', 'c']);
    await spool.write([payload('f')]);
    expect(spool.size).toBe(1);
  });

  test('says so where its directory can not be made', async () => {
    const directory = `${temporaryDirectory()}/file`;
    writeFileSync(directory, '');
    const { spool } = openSpool(`${directory}/spool`);
    await expect(spool.write([payload('a')])).rejects.toMatchObject({ code: 'AUDIT_SPOOL_UNAVAILABLE' });
  });

  test('goes on in a new file when somebody removed the one that it wrote, and says what was in it', async () => {
    const directory = `${temporaryDirectory()}/spool`;
    const { spool, damages } = openSpool(directory);
    await spool.write([payload('a')]);
    rmSync(directory, { recursive: true });
    await spool.write([payload('b')]);
    await spool.write([payload('c')]);
    expect(await readAll(spool)).toEqual(['b', 'c']);
    expect(damages).toEqual([{ code: 'AUDIT_SPOOL_DAMAGED', lost: 1 }]);
  });

  test('a file of a process that is gone is taken over once, oldest first', async () => {
    const directory = temporaryDirectory();
    leaveFile(directory, ['c'], '1700000000002.00000001');
    leaveFile(directory, ['a', 'b'], '1700000000001.00000009');
    const spools = [openSpool(directory).spool, openSpool(directory).spool];
    const taken = await Promise.all(spools.map((spool) => spool.adopt()));
    expect(taken.reduce((sum, one) => sum + one, 0)).toBe(2);
    const read = await Promise.all(spools.map((spool) => readAll(spool)));
    expect(read.flat().sort()).toEqual(['a', 'b', 'c']);
    const { spool } = openSpool(directory);
    leaveFile(directory, ['c'], '1700000000002.00000001');
    leaveFile(directory, ['a', 'b'], '1700000000001.00000009');
    await spool.adopt();
    expect(await readAll(spool)).toEqual(['a', 'b', 'c']);
  });

  test('a file that is taken over comes before newer ones of this process', async () => {
    const directory = temporaryDirectory();
    const { spool } = openSpool(directory, { maxBytes: 20_000_000 });
    const large = 'x'.repeat(5_000_000);
    await spool.write([payload(large)]);
    leaveFile(directory, ['a']);
    await spool.adopt();
    expect((await readAll(spool)).map((text) => text.length)).toEqual([1, large.length]);
  });

  test('a file of a living process, of another store or of another name is left alone', async () => {
    const directory = temporaryDirectory();
    const { spool: living } = openSpool(directory);
    await living.write([payload('a')]);
    writeFileSync(`${directory}/${spoolFileName('1700000000000.00000001', '11223344', null)}`, '');
    writeFileSync(`${directory}/notes.txt`, '');
    mkdirSync(`${directory}/x.spool`);
    expect(await openSpool(directory).spool.adopt()).toBe(0);
    expect(await readAll(living)).toEqual(['a']);
  });

  test('what is left when it is closed is free for the next one', async () => {
    const directory = temporaryDirectory();
    const { spool: first } = openSpool(directory);
    await first.write([payload('a'), payload('b')]);
    await first.peek(1);
    first.confirm(1);
    await first.close();
    const { spool } = openSpool(directory);
    expect(await spool.adopt()).toBe(1);
    // The confirmed one comes again: only the store knows what it has, and there the id makes it a duplicate.
    expect(await readAll(spool)).toEqual(['a', 'b']);
  });

  test('a record that a crash cut short is reported, and what stands before it is read', async () => {
    const directory = temporaryDirectory();
    const path = leaveFile(directory, ['a', 'b', 'cut']);
    truncateSync(path, statSync(path).size - 2);
    const { spool, damages } = openSpool(directory);
    await spool.adopt();
    expect(await readAll(spool)).toEqual(['a', 'b']);
    expect(damages).toEqual([{ code: 'AUDIT_SPOOL_DAMAGED', lost: 0 }]);
  });

  test('a record that is damaged in the middle counts as lost, and the file is kept', async () => {
    const directory = temporaryDirectory();
    const path = leaveFile(directory, ['a', 'bbbb', 'c']);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('bbbb')] = 0x78;
    writeFileSync(path, bytes);
    const { spool, damages } = openSpool(directory);
    await spool.adopt();
    expect(await readAll(spool)).toEqual(['a', 'c']);
    expect(damages).toEqual([{ code: 'AUDIT_SPOOL_DAMAGED', lost: 1 }]);
    expect(readdirSync(directory).filter((name) => name.endsWith('.damaged'))).toHaveLength(1);
  });

  test('what no store takes is put aside and holds up nobody', async () => {
    const directory = temporaryDirectory();
    const { spool } = openSpool(directory);
    await spool.write([payload('poison'), payload('b')]);
    await spool.peek(1);
    await spool.reject();
    expect(await readAll(spool)).toEqual(['b']);
    const [name = ''] = readdirSync(directory);
    expect(name.endsWith('.rejected')).toBe(true);
    expect(readFileSync(`${directory}/${name}`).includes('poison')).toBe(true);
  });
});

describe('the owner of a spool file', () => {
  test('is this process while it lives', () => {
    expect(isSpoolOwnerGone(ownSpoolOwner(), 0)).toBe(false);
  });

  test('is gone when its pid is', () => {
    expect(isSpoolOwnerGone({ ...ownSpoolOwner(), pid: 4_000_000 }, 0)).toBe(true);
  });

  test('is gone when another process has its pid now, where the system tells when processes started', () => {
    const tells = ownSpoolOwner().started !== '';
    expect(isSpoolOwnerGone({ ...ownSpoolOwner(), started: '1' }, 0)).toBe(tells);
  });

  test('is gone when it has ended and nobody waits for it, as in a container without an init', async () => {
    // The shell becomes a program that never asks how its child has ended.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 20'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (data) => resolve(Number(data))),
    );
    const owner = { ...ownSpoolOwner(), pid, started: '' };
    expect(isSpoolOwnerGone(owner, 0)).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 500));
    // Only where the system tells the states of processes.
    expect(isSpoolOwnerGone(owner, 0)).toBe(ownSpoolOwner().started !== '');
    parent.kill('SIGKILL');
  });

  test('of another host is gone when it has not touched the file for ten minutes', () => {
    const elsewhere = { host: 'elsewhere', pid: process.pid, started: '1' };
    expect(isSpoolOwnerGone(elsewhere, 60_000)).toBe(false);
    expect(isSpoolOwnerGone(elsewhere, 601_000)).toBe(true);
  });
});

describe('the target of a spool', () => {
  test('is the same after a restart and with another password, and differs by store and origin', () => {
    const target = spoolTarget('postgres://ada:secret@db/clinic', 'audit');
    expect(target).toMatch(/^[0-9a-f]{8}$/);
    expect(spoolTarget('postgres://grace:other@db/clinic', 'audit')).toBe(target);
    expect(spoolTarget('postgres://db/clinic', 'other')).not.toBe(target);
    expect(spoolTarget('postgres://db/lab', 'audit')).not.toBe(target);
    expect(spoolTarget(undefined, 'audit')).not.toBe(target);
    expect(spoolTarget(createMemoryStore(), 'audit')).toBe(spoolTarget(createMemoryStore(), 'audit'));
  });
});
