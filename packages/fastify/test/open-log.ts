import { type Audit, type AuditEvent, createAudit, createMemoryStore, readBody } from '@indelible/core';
import { onTestFinished } from 'vitest';

export interface OpenLog {
  readonly audit: Audit;
  readonly errors: readonly (Error & { code?: string })[];
  events(): Promise<readonly AuditEvent[]>;
}

/** An audit of the test's own, in memory. */
export function openLog(): OpenLog {
  const store = createMemoryStore();
  const errors: Error[] = [];
  const audit = createAudit({
    store,
    hmacKey: 'x'.repeat(32),
    lifecycleEvents: false,
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => audit.close());
  return {
    audit,
    errors,
    events: async () => {
      // The event is made when the server sees the connection's end, which may be after the client has its answer.
      await new Promise((resolve) => setTimeout(resolve, 30));
      await audit.flush();
      return (await store.list({ limit: 1_000 })).map((event) => readBody(event.body));
    },
  };
}
