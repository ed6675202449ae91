import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { readonly type: 'minor' | 'major' }) => void;

let collect: Collect | undefined;

/**
 * Lets the driver finalize statements that it holds on to. libsql leaves a statement that failed with SQLITE_BUSY in
 * progress until it is garbage, and no transaction of the connection can be committed meanwhile: the lock that somebody
 * else held for a moment would cost the caller a COMMIT.
 *
 * @param tries how often this was not enough: the young objects are collected first, which takes next to no time
 * @see https://github.com/tursodatabase/libsql-client-ts/issues/352
 */
export async function finishStatements(tries: number): Promise<void> {
  collect ??= findCollector();
  collect({ type: tries === 0 ? 'minor' : 'major' });
  // Finalizers run in the ticks after.
  for (let tick = 0; tick < 3; tick += 1) await new Promise((resolve) => setImmediate(resolve));
}

function findCollector(): Collect {
  if (typeof globalThis.gc === 'function') return globalThis.gc as Collect;
  try {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('gc');
    if (typeof found === 'function') return found as Collect;
  } catch {
    // A runtime without V8 collects when it likes.
  }
  return () => undefined;
}
