import type { StoreOffer } from './audit.js';
import { AuditError } from './audit-error.js';
import { toStoreError, withoutSecrets } from './error-reporter.js';
import type { PreparedEvent } from './event.js';
import { openStore } from './open-store.js';
import type { AppendOutcome, AuditStore } from './store.js';

/** Calls that never answered and may still hold something of the store: with more of them no further one is made. */
const MAX_HUNG = 4;
const DEFAULT_URL = 'file:./audit.db';

export interface StoreConnectionOptions {
  readonly store: AuditStore | string | undefined;
  readonly keyed: boolean;
  readonly timeoutMs: number;
}

/** The way to the one store of an audit: opened on first use, opened again after a failure, and with a limit on time. */
export class StoreConnection {
  private readonly offers: (StoreOffer | (() => Promise<StoreOffer>))[] = [];
  private opening: Promise<AuditStore> | null = null;
  private opened: AuditStore | null = null;
  private said = false;
  private closed = false;
  private hung = 0;

  constructor(private readonly options: StoreConnectionOptions) {}

  offer(offer: StoreOffer | (() => Promise<StoreOffer>)): void {
    this.offers.push(offer);
  }

  /** The offers of ORMs, whether they were used or not. */
  offered(): readonly (() => Promise<StoreOffer>)[] {
    return this.offers.filter((offer) => typeof offer === 'function');
  }

  /** @throws AuditError `AUDIT_CLOSED`, and what the store package throws */
  get(): Promise<AuditStore> {
    if (this.closed) return Promise.reject(new AuditError('AUDIT_CLOSED', 'core', 'the audit is closed'));
    this.opening ??= this.open().catch((error: unknown) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  append(events: readonly PreparedEvent[]): Promise<AppendOutcome> {
    return this.timed('append', (store) => store.append(events));
  }

  /** @throws AuditError `AUDIT_STORE_TIMEOUT`; the call goes on in the store, and its result is dropped */
  async timed<T>(what: string, call: (store: AuditStore) => Promise<T>): Promise<T> {
    if (this.hung >= MAX_HUNG) throw this.timeout(`${what}: ${this.hung} earlier calls have not come back`);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const work = this.opened === null ? this.get().then(call) : call(this.opened);
      const late = new Promise<never>((_, reject) => {
        // Keeps the process alive on purpose: a script must not end while an event is nowhere yet.
        timer = setTimeout(() => {
          this.hung += 1;
          const back = () => {
            this.hung -= 1;
          };
          work.then(back, back);
          reject(this.timeout(`${what} took longer than ${this.options.timeoutMs} ms`));
        }, this.options.timeoutMs);
      });
      return await Promise.race([work, late]);
    } catch (error) {
      throw toStoreError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes the store if this connection opened it. */
  async close(): Promise<void> {
    this.closed = true;
    const { opening } = this;
    if (opening === null || typeof this.options.store === 'object') return;
    const store = await opening.catch(() => undefined);
    if (store === undefined) return;
    // What hangs in it may keep it from closing; nobody should wait for that.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.timeout('it could not be closed')), this.options.timeoutMs);
    });
    await Promise.race([store.close(), late]).finally(() => clearTimeout(timer));
  }

  private async open(): Promise<AuditStore> {
    const { store } = this.options;
    const [offer] = this.offers;
    let opened: AuditStore;
    let chosen: string | null = null;
    if (typeof store === 'object') {
      opened = store;
    } else if (store !== undefined) {
      opened = await openStore(store);
    } else if (offer !== undefined) {
      const { url, options } = typeof offer === 'function' ? await offer() : offer;
      opened = await openStore(url, options);
      chosen = `the database of the audited ORM, ${withoutSecrets(url)}`;
    } else {
      opened = await openStore(DEFAULT_URL);
      await opened.migrate();
      chosen = `${DEFAULT_URL}, because none is configured`;
    }
    this.opened = opened;
    this.say(chosen);
    return opened;
  }

  private say(chosen: string | null): void {
    if (this.said) return;
    this.said = true;
    if (chosen !== null) console.error(`[indelible/core] the audit log is kept in ${chosen}.`);
    if (this.options.keyed) return;
    console.error(
      '[indelible/core] the audit log has no key: set AUDIT_HMAC_KEY, or whoever writes the database can rewrite it.',
    );
  }

  private timeout(message: string): AuditError {
    return new AuditError('AUDIT_STORE_TIMEOUT', 'core', `the store did not answer: ${message}`);
  }
}
