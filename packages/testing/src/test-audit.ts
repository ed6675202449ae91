import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ActionDefinitions,
  type AuditEvent,
  type AuditStore,
  configureAudit,
  createAudit,
  createMemoryStore,
  type FailurePolicy,
  readBody,
  type TypedAudit,
  type TypedAuditOptions,
} from '@indelible/core';

export interface TestAuditOptions<D extends ActionDefinitions = Record<never, never>>
  extends TypedAuditOptions<D> {
  /**
   * `orm`: wherever the application would put it, which is AUDIT_DATABASE_URL or the database of the first audited ORM. The
   * events of an ORM join its transactions, so the memory is no place for them.
   *
   * @default a store in memory
   */
  readonly store?: AuditStore | string;
  /** Makes it what `getAudit()` gives and what every package uses that is passed none. @default false */
  readonly asDefault?: boolean;
}

/** An audit for tests, with its events at hand. */
export interface TestAudit<D extends ActionDefinitions = Record<never, never>> {
  readonly audit: TypedAudit<D>;
  /** What the audit reported because there was no caller to tell. */
  readonly errors: readonly Error[];
  /**
   * The events since the last `forget()`, in the order in which they happened, read from the stored bytes. Waits until what
   * was recorded before is in the store and sealed.
   */
  events(): Promise<readonly AuditEvent[]>;
  /** Leaves what is there by now out of `events()`. The log keeps it: a log is never emptied. */
  forget(): Promise<void>;
}

/** A secret that everybody knows, so that pseudonyms come out alike in each run. */
const KEY = 'the key of @indelible/testing, which protects nothing';

const STRICT = {
  auth: 'strict',
  access: 'strict',
  data: 'strict',
  admin: 'strict',
  billing: 'strict',
  security: 'strict',
  request: 'strict',
  system: 'strict',
} as const satisfies Record<string, FailurePolicy>;

const PAGE = 500;

/**
 * Makes an audit for tests: in memory, sealed at once, without events of its own start and stop, and with the policy
 * `strict`, so that a test hears of what fails. Every option of `createAudit()` goes before these.
 *
 * @throws as `createAudit()`
 * @example
 * const log = createTestAudit({ asDefault: true });
 * await logAuthEvent('login', 'ada');
 * await assertRecordedExactly(log, [{ action: 'auth.login', actor: { type: 'user', id: 'ada' } }]);
 */
export function createTestAudit<const D extends ActionDefinitions = Record<never, never>>(
  options: TestAuditOptions<D> = {},
): TestAudit<D> {
  const { asDefault = false, store: where, onError, policy, ...rest } = options;
  const errors: Error[] = [];
  const store = where === 'orm' ? undefined : (where ?? createMemoryStore());
  const settings: TypedAuditOptions<D> = {
    hmacKey: process.env.AUDIT_HMAC_KEY || KEY,
    sealAfterMs: 0,
    lifecycleEvents: false,
    // Its own, and made only where something is spooled: what another test left there is none of this log's business.
    spool: { directory: join(tmpdir(), 'indelible-testing', randomUUID()) },
    ...rest,
    ...(store === undefined ? undefined : { store }),
    policy: { ...STRICT, ...policy },
    onError: (error) => {
      errors.push(error);
      onError?.(error);
    },
  };
  const audit = asDefault ? configureAudit(settings) : createAudit(settings);
  const forgotten = new Set<string>();
  const read = async () => {
    await audit.flush();
    return (await readAll(await audit.store())).filter(({ id }) => !forgotten.has(id));
  };
  return Object.freeze({
    audit,
    errors,
    events: read,
    forget: async () => {
      for (const { id } of await read()) forgotten.add(id);
    },
  });
}

async function readAll(store: AuditStore): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (let after: string | undefined; ; ) {
    const page = await store.list({ limit: PAGE, ...(after === undefined ? undefined : { after }) });
    for (const { body } of page) events.push(readBody(body));
    after = page.at(-1)?.id;
    if (page.length < PAGE) return events;
  }
}
