import { expect, test } from 'vitest';
import { createMemoryStore } from '../src/memory-store.js';
import { openAudit, storedEvents } from './open-audit.js';

test('a pause without the package that follows asynchronous flows is refused, and its work is not run', async () => {
  const store = createMemoryStore();
  const { audit } = openAudit({ store });
  let ran = false;
  const attempt = audit.without(
    () => {
      ran = true;
    },
    { reason: 'backfill' },
  );
  await expect(attempt).rejects.toMatchObject({
    code: 'AUDIT_CONTEXT_MISSING',
    message: expect.stringContaining("Import '@indelible/context'"),
  });
  expect(ran).toBe(false);
  expect(await storedEvents(store)).toEqual([]);
});
