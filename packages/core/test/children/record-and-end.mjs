// Records and ends without closing: nothing may keep the process, and nothing that resolved may be lost.
import { createAudit, createMemoryStore } from '../../dist/index.js';

const audit = createAudit({ store: createMemoryStore(), hmacKey: 'k'.repeat(32) });
await audit.record({ action: 'auth.login' });
audit.recordLater({ action: 'auth.logout' });
process.on('exit', () => process.stdout.write(JSON.stringify(audit.health())));
