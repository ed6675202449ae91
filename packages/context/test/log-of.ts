import {
  type Audit,
  type AuditEvent,
  type AuditStore,
  createAudit,
  createMemoryStore,
  readBody,
} from '@indelible/core';

export const SECRET = 'a-secret-for-tests-of-at-least-32-bytes';

export interface TestLog {
  readonly audit: Audit;
  readonly store: AuditStore;
  readonly errors: readonly Error[];
  events(): Promise<readonly AuditEvent[]>;
}

/** An audit in memory, and what its stored bytes say. */
export function createTestLog(): TestLog {
  const store = createMemoryStore();
  const errors: Error[] = [];
  const audit = createAudit({
    store,
    hmacKey: SECRET,
    lifecycleEvents: false,
    onError: (error) => errors.push(error),
  });
  return {
    audit,
    store,
    errors,
    events: async () => {
      await audit.flush();
      return (await store.list({ limit: 10_000 })).map((event) => readBody(event.body));
    },
  };
}
