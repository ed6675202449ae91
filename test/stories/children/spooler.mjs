// Records so many events in groups, in the order of their numbers, and says of each when it is safe and where; then one more group,
// which may be too much for the spool. Ends by being killed.   spooler.mjs <url> <directory> <from> <to> <most>
import { createAudit } from '@indelible/core';

const GROUP = 100;
const [url, directory, from = '0', to = '0', most = '1000000'] = process.argv.slice(2);
const [first, last] = [Number(from), Number(to)];
const audit = createAudit({
  store: url,
  hmacKey: process.env.AUDIT_HMAC_KEY,
  sealAfterMs: false,
  lifecycleEvents: false,
  storeTimeoutMs: 5_000,
  spool: { directory, maxEvents: Number(most) },
  onError: (error) => process.stderr.write(`${error.code} ${error.message}\n`),
});

for (let at = first; at < last; at += GROUP) {
  const inputs = Array.from({ length: GROUP }, (_, n) => ({ action: 'auth.login', details: { n: at + n } }));
  for (const { where, id } of await audit.recordAll(inputs)) process.stdout.write(`${where} ${id}\n`);
}
const extra = await audit.record({ action: 'auth.logout' }).catch((error) => error);
process.stdout.write(`${extra.code ?? extra.where} end\n`);
setInterval(() => {}, 1_000);
