import { readFileSync } from 'node:fs';

/** Which process a spool file belongs to, as it stands in the file's name: host, pid and the time the process started. */
export interface SpoolOwner {
  readonly host: string;
  readonly pid: number;
  /** From the kernel where it tells, else empty. Tells a process from a later one with the same pid. */
  readonly started: string;
}

/** A file of another host is taken over when nobody has touched it for so long; its owner touches it each minute. */
const FOREIGN_STALE_MS = 600_000;

export function ownSpoolOwner(): SpoolOwner {
  return { host: hostName(), pid: process.pid, started: startTime(process.pid) ?? '' };
}

/** @param idleMs how long ago the file was written or touched */
export function isSpoolOwnerGone(owner: SpoolOwner, idleMs: number): boolean {
  if (owner.host !== hostName()) return idleMs > FOREIGN_STALE_MS;
  const started = startTime(owner.pid);
  if (started === ENDED) return true;
  if (started !== undefined) return owner.started !== '' && owner.started !== started;
  return !isAlive(owner.pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function hostName(): string {
  const name =
    tryRead('/proc/sys/kernel/hostname')?.trim() ?? process.env.COMPUTERNAME ?? process.env.HOSTNAME ?? '';
  return name.replace(/[^A-Za-z0-9-]/g, '-') || 'local';
}

const ENDED = 'ended';
const ENDED_STATES: ReadonlySet<string | undefined> = new Set(['Z', 'X']);

/** Field 22 of /proc/<pid>/stat, in clock ticks since the machine started; of a process that has ended `ended` (proc(5)). */
function startTime(pid: number): string | undefined {
  const stat = tryRead(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may hold spaces and parentheses itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A process that nobody waits for stays listed after its end, in a container without an init for ever.
  return ENDED_STATES.has(fields?.[0]) ? ENDED : fields?.[19];
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
