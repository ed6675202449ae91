import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options?: { readonly type: 'minor' | 'major' }) => void;

let collect: Collect | undefined;

/**
 * Lets the driver finalize statements that it holds on to. libsql leaves a statement that failed with SQLITE_BUSY in
 * progress until it is garbage, and no transaction of the connection can be committed meanwhile: the lock that somebody
 * else held for a moment would cost the caller a COMMIT.
 *
 * Nothing gentler ends such a statement (libsql 0.5.29): not ROLLBACK, a savepoint (refused while it is in progress),
 * other statements, a schema change, nor interrupt(), which fails what comes next instead. Running the very same statement
 * again would, but the client lets nobody have it; and another connection would lose the PRAGMAs of the caller's own.
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
    // The function stays, and contexts that the application makes do not get one.
    setFlagsFromString('--no-expose-gc');
    if (typeof found === 'function') return found as Collect;
  } catch {
    // A runtime without V8 collects when it likes.
  }
  return () => undefined;
}
