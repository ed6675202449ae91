import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { type Anchor, anchorConflict, statesTheSame } from './anchor.js';

export interface FileAnchorOptions {
  /** A directory on another machine or disk, best one where files can be made and not changed. It is made where it is missing. */
  readonly directory: string;
}

/**
 * An anchor that keeps each checkpoint as a file of its own. A file appears under its name only when it is whole and on disk.
 *
 * @example
 * configureAudit({ checkpoints: { anchors: [createFileAnchor({ directory: '/mnt/anchor' })] } });
 */
export function createFileAnchor({ directory }: FileAnchorOptions): Anchor {
  if (typeof directory !== 'string' || directory === '') throw new TypeError('the anchor takes a directory');
  return Object.freeze({
    name: `file:${directory}`,
    put: (key: string, note: Uint8Array) => put(directory, key, note),
  });
}

async function put(directory: string, key: string, note: Uint8Array): Promise<void> {
  const file = `${directory}/${key}`;
  const folder = file.slice(0, file.lastIndexOf('/'));
  await mkdir(folder, { recursive: true });
  const partial = `${folder}/.${randomUUID()}.partial`;
  try {
    await writeSynced(partial, note);
    // Unlike a rename it never takes the place of what is there.
    await link(partial, file);
  } catch (error) {
    if (!isThere(error)) throw error;
    if (statesTheSame(await readFile(file), note)) return;
    throw anchorConflict(`${file} holds another checkpoint of this size`);
  } finally {
    await unlink(partial).catch(() => {});
  }
  await syncFolder(folder);
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o444);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A name is durable when its directory is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
