// Records events into a store that never works, and tells of each one that is durable. Ends only by being killed.
import { createAudit, createMemoryStore } from '../../dist/index.js';

const directory = process.argv[2];
const store = {
  ...createMemoryStore(),
  append: async () => {
    throw new Error('down');
  },
};
const audit = createAudit({
  store,
  hmacKey: 'k'.repeat(32),
  spool: { directory },
  lifecycleEvents: false,
  onError: () => {},
});

async function writer() {
  for (;;) {
    const { id, where } = await audit.record({ action: 'auth.login', details: { padding: 'x'.repeat(500) } });
    process.stdout.write(`${where} ${id}\n`);
  }
}
for (let n = 0; n < 8; n += 1) void writer();
