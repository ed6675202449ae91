import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BLOCK = Buffer.alloc(64 * 1024);

/** A directory on a disk of its own that can be filled. Where none can be mounted, `canFill` is false. */
export interface SmallDisk {
  readonly directory: string;
  readonly canFill: boolean;
  /** Leaves not a byte to anybody. */
  fill(): void;
  /** Gives back what `fill` took. Idempotent. */
  free(): void;
  remove(): void;
}

/** @param megabytes its size, where it can be mounted: that takes Linux and root */
export function createSmallDisk(megabytes: number): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'indelible-hammer-'));
  let canFill = true;
  try {
    const options = `size=${megabytes}m,mode=755`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', directory], { stdio: 'ignore' });
  } catch {
    canFill = false;
  }
  const balloon = join(directory, 'balloon');
  return {
    directory,
    canFill,
    fill() {
      const file = openSync(balloon, 'a');
      try {
        // The last bytes go one page at a time.
        for (const size of [BLOCK.length, 4096, 512]) writeUntilFull(file, BLOCK.subarray(0, size));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(balloon, { force: true }),
    remove() {
      if (canFill) execFileSync('umount', ['--lazy', directory]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}
