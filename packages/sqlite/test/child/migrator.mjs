// A process that migrates at a given moment. Arguments: file, driver, milliseconds since 1970.
import { createSqliteStore } from '../../dist/index.js';

const [file, driver, at] = process.argv.slice(2);
const store = createSqliteStore({ file, driver });
await new Promise((resolve) => setTimeout(resolve, Number(at) - Date.now()));
console.log(JSON.stringify(await store.migrate()));
await store.close();
