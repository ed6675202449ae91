import { configureAudit, getAudit } from '@indelible/core';

configureAudit({
  store: 'file:./audit.db',
  hmacKey: process.env.AUDIT_HMAC_KEY ?? 'in production: openssl rand -base64 48, kept outside of the database',
});
const audit = getAudit();
await audit.migrate();

await audit.record({
  action: 'invoice.exported',
  actor: { type: 'user', id: 'ada' },
  resource: { type: 'Invoice', id: '7' },
  details: { format: 'pdf', apiKey: 'never stored' },
});
await audit.flush();

const [verdict] = await audit.verify();
console.log(verdict?.result, verdict?.size);
await audit.close();
