// Records into a file that others record into and seal too, and says of each event where it is safe. Ends by being killed.
import { createAudit } from '@indelible/core';

const [url, directory, writers = '4', sealAfter = 'false'] = process.argv.slice(2);
const audit = createAudit({
  store: url,
  hmacKey: process.env.AUDIT_HMAC_KEY,
  sealAfterMs: sealAfter === 'false' ? false : Number(sealAfter),
  spool: { directory },
  onError: (error) => process.stderr.write(`${error.code} ${error.message}\n`),
});

async function write(writer) {
  for (let n = 0; ; n += 1) {
    // A strict one is refused while the file is locked; then nobody was promised anything.
    const category = n % 4 === 0 ? 'data' : 'auth';
    const input = { action: 'patient.read', category, details: { writer, n } };
    const recorded = await audit.record(input).catch(() => undefined);
    if (recorded !== undefined) process.stdout.write(`${recorded.where} ${recorded.id}\n`);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
  }
}
for (let writer = 0; writer < Number(writers); writer += 1) void write(writer);
