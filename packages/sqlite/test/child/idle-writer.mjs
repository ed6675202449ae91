// A process that writes through a thread and then has nothing more to do: it must end by itself, without close().
// Arguments: file.
import { createSqliteStore } from '../../dist/index.js';
import { makeEvents } from './events.mjs';

const [file] = process.argv.slice(2);
const store = createSqliteStore({ file, driver: 'libsql', worker: true });
await store.migrate();
store.append(makeEvents(1, 0, 50)).then(({ appended }) => console.log(appended));
