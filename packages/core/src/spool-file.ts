import { constants, type Stats } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { type DecodedFrames, decodeFrames } from './spool-frame.js';
import { isSpoolOwnerGone, type SpoolOwner } from './spool-owner.js';

/** One file of a spool: `<created>.<random>.<target>.<host>.<pid>.<started>.spool`, where `free` stands for no owner. */
export interface SpoolFile {
  readonly name: string;
  readonly path: string;
  bytes: number;
  /** The number of records; null where the file was taken over and not read yet. */
  events: number | null;
}

const NAME = /^(\d{13}\.[0-9a-f]{8})\.([0-9a-f]{8})\.([A-Za-z0-9-]+)\.(\d+)\.(\d*)\.spool$/;
/** In place of an owner: any process may take the file over. */
const FREE = 'free.0.';

export function spoolFileName(key: string, target: string, owner: SpoolOwner | null): string {
  const owned = owner === null ? FREE : `${owner.host}.${owner.pid}.${owner.started}`;
  return `${key}.${target}.${owned}.spool`;
}

/** When a file was begun, in milliseconds since 1970-01-01 UTC. */
export function spoolFileTime({ name }: SpoolFile): number {
  return Number(NAME.exec(name)?.[1]?.slice(0, 13) ?? 0);
}

/** Creates a new file, readable by its owner only, and makes its name durable. */
export async function createSpoolFile(
  directory: string,
  name: string,
): Promise<{ file: SpoolFile; handle: FileHandle }> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = `${directory}/${name}`;
  const handle = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND,
    0o600,
  );
  await syncDirectory(directory);
  return { file: { name, path, bytes: 0, events: 0 }, handle };
}

/**
 * Takes over the files that no living process owns, oldest first. The rename decides between two that try: one of them
 * finds the file gone.
 */
export async function adoptSpoolFiles(
  directory: string,
  target: string,
  owner: SpoolOwner,
): Promise<readonly SpoolFile[]> {
  const adopted: SpoolFile[] = [];
  for (const name of (await tryReaddir(directory)).sort()) {
    const match = NAME.exec(name);
    if (match === null || match[2] !== target) continue;
    const [, key = '', , host = '', pid = '0', started = ''] = match;
    const stats = await tryStat(`${directory}/${name}`);
    if (stats === undefined) continue;
    const there: SpoolOwner = { host, pid: Number(pid), started };
    if (!(host === 'free' && pid === '0') && !isSpoolOwnerGone(there, Date.now() - stats.mtimeMs)) continue;
    const mine = spoolFileName(key, target, owner);
    if (await tryRename(`${directory}/${name}`, `${directory}/${mine}`)) {
      adopted.push({ name: mine, path: `${directory}/${mine}`, bytes: stats.size, events: null });
    }
  }
  return adopted;
}

/** Lets a file go, so that any process may take it over. */
export async function freeSpoolFile(directory: string, file: SpoolFile): Promise<void> {
  const match = NAME.exec(file.name);
  if (match === null) return;
  await tryRename(file.path, `${directory}/${spoolFileName(match[1] ?? '', match[2] ?? '', null)}`);
}

/** Undefined where the file is gone. */
export async function readSpoolFile(file: SpoolFile): Promise<DecodedFrames | undefined> {
  try {
    return decodeFrames(await readFile(file.path));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function removeSpoolFile(file: SpoolFile): Promise<void> {
  await unlink(file.path).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** Keeps a copy of a file that holds something unreadable, under a name that nobody replays. */
export async function keepDamagedFile(file: SpoolFile): Promise<void> {
  await copyFile(file.path, `${file.path}.damaged`);
}

/** Keeps what no store takes, in the form of a spool file, under a name that nobody replays. */
export async function keepRejected(directory: string, key: string, frame: Uint8Array): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(`${directory}/${key}.rejected`, frame, { mode: 0o600, flag: 'wx', flush: true });
}

/** True where the file was removed behind its writer's back, so that what goes into it goes nowhere. */
export async function isUnlinked(handle: FileHandle): Promise<boolean> {
  return (await handle.stat()).nlink === 0;
}

/** Tells other hosts that the owner is alive. */
export async function touchSpoolFile(file: SpoolFile): Promise<void> {
  const now = new Date();
  await utimes(file.path, now, now).catch(() => {});
}

async function tryRename(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function tryReaddir(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function tryStat(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Without it the name of a new file can be gone after a power failure. Not every system can. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, constants.O_RDONLY);
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no directories; there the rename of the metadata is up to NTFS.
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
