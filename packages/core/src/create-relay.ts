import { AuditError } from './audit-error.js';
import { toStoreError } from './error-reporter.js';
import { openStore } from './open-store.js';
import type { OutboxCondition } from './outbox.js';
import { Relay } from './relay.js';
import type { AuditStore } from './store.js';
import { StoreConnection } from './store-connection.js';

export interface RelayOptions {
  /** The database whose outbox is emptied: a store, or its URL. */
  readonly from: AuditStore | string;
  /** The store that the events go to. */
  readonly to: AuditStore | string;
  /** How long the store may take for one batch. @default 10_000 */
  readonly storeTimeoutMs?: number;
  /** Told of each event that no store takes. @default one line on stderr */
  readonly onError?: (error: Error) => void;
}

/** Brings events from an outbox to a store; see `createRelay`. */
export interface StandaloneRelay {
  /**
   * Moves what is there now.
   *
   * @returns how many events; `busy` where another relay is at it
   * @throws AuditError the failure of either database: nothing is lost, and the next call goes on
   */
  pass(): Promise<{ moved: number; busy: boolean }>;
  /** How much waits. @throws AuditError */
  inspect(): Promise<OutboxCondition>;
  /** Closes the stores that it opened. */
  close(): Promise<void>;
}

/**
 * Makes a relay: what an application with `relay: 'external'` needs beside it, and what `indelible relay` runs. Events arrive at
 * least once and are stored once, because their id is the key; they leave the outbox only after they are durable.
 *
 * @throws AuditError `AUDIT_CONFIG_INVALID`, `AUDIT_DRIVER_MISSING`, `AUDIT_STORE_ELSEWHERE`
 * @example
 * const relay = await createRelay({ from: 'file:./app.db', to: process.env.AUDIT_DATABASE_URL });
 * const { moved } = await relay.pass();
 */
export async function createRelay(options: RelayOptions): Promise<StandaloneRelay> {
  const { from, to, storeTimeoutMs = 10_000, onError = (error) => console.error(error.message) } = options;
  const source = typeof from === 'string' ? await openStore(from) : from;
  const { outbox } = source;
  if (outbox === undefined) {
    throw new AuditError('AUDIT_STORE_ELSEWHERE', 'core', `${source.name} has no outbox to relay from`);
  }
  const connection = new StoreConnection({ store: to, keyed: true, timeoutMs: storeTimeoutMs });
  const relay = new Relay({
    outbox: async () => outbox,
    append: (events) => connection.append(events),
    onMoved: () => {},
    report: onError,
  });
  return {
    pass: () => relay.pass(),
    inspect: async () => {
      try {
        return await outbox.inspect();
      } catch (error) {
        throw toStoreError(error);
      }
    },
    close: async () => {
      await connection.close();
      if (typeof from === 'string') await source.close();
    },
  };
}
