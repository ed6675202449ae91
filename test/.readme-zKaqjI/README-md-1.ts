import { configureAudit, getAudit } from '@indelible/core';
import { runWithContext } from '@indelible/context';

configureAudit({ store: 'file:./audit.db', hmacKey: process.env.AUDIT_HMAC_KEY ?? 'at least thirty-two bytes of a secret' });
await getAudit().migrate();

await runWithContext({ actor: { type: 'system', id: 'nightly-import' } }, async () => {
  await getAudit().record({ action: 'import.finished', details: { rows: 1200 } });
});

await getAudit().flush();
for (const { log, result, size } of await getAudit().verify()) console.log(log, result, size);
await getAudit().close();
