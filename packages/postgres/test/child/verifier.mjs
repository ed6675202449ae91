// Fills a log or verifies one, alone in its process. Arguments: fill, url, events, bytes of each; or verify, url.
import { runAlone } from '../../../sqlite/test/child/verify-alone.mjs';
import { createPostgresStore } from '../../dist/index.js';

const [work, url, count, bodyBytes] = process.argv.slice(2);
await runAlone(createPostgresStore({ url, roles: false }), work, count, bodyBytes);
