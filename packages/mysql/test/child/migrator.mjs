// A process that migrates at a given moment. Arguments: url, milliseconds since 1970.
import { createMysqlStore } from '../../dist/index.js';

const [url, at] = process.argv.slice(2);
const store = createMysqlStore({ url });
await new Promise((resolve) => setTimeout(resolve, Number(at) - Date.now()));
console.log(JSON.stringify(await store.migrate()));
await store.close();
