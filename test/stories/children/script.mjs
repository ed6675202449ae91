// A script that records and ends without closing anything, in one way or another.
import { createAudit } from '@indelible/core';
import { createSqliteStore } from '@indelible/sqlite';

const [file, worker, way] = process.argv.slice(2);
const store = createSqliteStore({ file, worker: worker === 'true' });
await store.migrate();
const audit = createAudit({
  store,
  hmacKey: process.env.AUDIT_HMAC_KEY,
  lifecycleEvents: false,
  spool: { directory: `${file}.spool` },
});
const LOGIN = { action: 'auth.login' };
const many = () =>
  audit.recordAll(Array.from({ length: 3_000 }, () => ({ ...LOGIN, details: { text: 'x'.repeat(1_000) } })));

switch (way) {
  case 'awaits':
    await audit.record(LOGIN);
    break;
  case 'does not wait':
    void audit.record(LOGIN);
    break;
  case 'records later':
    audit.recordLater(LOGIN);
    break;
  case 'exits while it writes':
    await audit.record(LOGIN);
    void many();
    setTimeout(() => process.exit(0), 10);
    break;
  case 'throws while it writes':
    await audit.record(LOGIN);
    void many();
    setTimeout(() => {
      throw new Error('on purpose');
    }, 10);
    break;
}
