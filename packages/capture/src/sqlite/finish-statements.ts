import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Lets the driver finalize statements that it holds on to. libsql leaves a statement that failed with SQLITE_BUSY in
 * progress until it is garbage, and no transaction of the connection can be committed meanwhile: the lock that somebody
 * else held for a moment would cost the caller a COMMIT.
 *
 * @see https://github.com/tursodatabase/libsql-client-ts/issues/352
 */
export async function finishStatements(): Promise<void> {
  collect ??= findCollector();
  collect();
  // Finalizers run in the ticks after.
  for (let tick = 0; tick < 3; tick += 1) await new Promise((resolve) => setImmediate(resolve));
}

function findCollector(): () => void {
  if (typeof globalThis.gc === 'function') return globalThis.gc as () => void;
  try {
    setFlagsFromString('--expose-gc');
    const found: unknown = runInNewContext('gc');
    if (typeof found === 'function') return found as () => void;
  } catch {
    // A runtime without V8 collects when it likes.
  }
  return () => undefined;
}
