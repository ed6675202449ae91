import type { StoreHealth } from './health.js';
import type { StoreConnection } from './store-connection.js';

/** Asks the store how it is. Never rejects: whatever keeps it from answering is the answer. */
export async function lookAtStore(connection: StoreConnection): Promise<StoreHealth> {
  let error: Error | null = null;
  let reachable = false;
  try {
    // What `check` needs every role may do: a store that only refuses to tell is there.
    await connection.timed('check', (store) => store.check());
    reachable = true;
    const condition = await connection.timed('inspect', (store) => store.inspect());
    const { pending, oldestPending, partitionsAhead = null } = condition;
    const oldestPendingMs = oldestPending === null ? null : Math.max(0, Date.now() - oldestPending.getTime());
    return { checkedAt: new Date(), reachable, error, pending, oldestPendingMs, partitionsAhead };
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown));
  }
  return {
    checkedAt: new Date(),
    reachable,
    error,
    pending: null,
    oldestPendingMs: null,
    partitionsAhead: null,
  };
}
