// Fills a log or verifies one, alone in its process. Arguments: fill, file, events, bytes of each; or verify, file.
import { createSqliteStore } from '../../dist/index.js';
import { runAlone } from './verify-alone.mjs';

const [work, file, count, bodyBytes] = process.argv.slice(2);
const store = createSqliteStore({ file, driver: 'libsql', worker: false, synchronous: 'NORMAL' });
await runAlone(store, work, count, bodyBytes);
