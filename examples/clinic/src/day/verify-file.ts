import { createAudit, openStore, type Verdict } from '@indelible/core';

/** Verifies a database file as an auditor would: it is only read, and with the key of AUDIT_HMAC_KEY. */
export async function verifyFile(file: string): Promise<readonly Verdict[]> {
  const store = await openStore(`file:${file}`, { readOnly: true });
  const audit = createAudit({ store, sealAfterMs: false, lifecycleEvents: false });
  try {
    return await audit.verify();
  } finally {
    await audit.close();
    await store.close();
  }
}
