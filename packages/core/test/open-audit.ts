import { onTestFinished } from 'vitest';
import type { Audit, AuditOptions } from '../src/audit.js';
import { createAudit } from '../src/create-audit.js';
import type { AuditEvent } from '../src/event.js';
import type { AuditStore } from '../src/store.js';
import { temporaryDirectory } from './temporary-directory.js';

export const KEY = 'a secret of thirty-two bytes, or more';

export interface OpenAudit {
  readonly audit: Audit;
  readonly errors: (Error & { code?: string })[];
  readonly spoolDirectory: string;
}

/** An audit with a spool of its own, without lifecycle events, which is closed after the test. */
export function openAudit(options: AuditOptions): OpenAudit {
  const errors: Error[] = [];
  const spoolDirectory = options.spool?.directory ?? `${temporaryDirectory()}/spool`;
  const audit = createAudit({
    hmacKey: KEY,
    lifecycleEvents: false,
    onError: (error) => errors.push(error),
    ...options,
    spool: { directory: spoolDirectory, ...options.spool },
  });
  onTestFinished(() => audit.close());
  return { audit, errors, spoolDirectory };
}

/** What stands in the store, in the order of the ids, read from the bytes. */
export async function storedEvents(store: AuditStore): Promise<AuditEvent[]> {
  const rows = await store.list({ limit: 100_000 });
  return rows.map((row) => JSON.parse(Buffer.from(row.body).toString()) as AuditEvent);
}

export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it never came about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
