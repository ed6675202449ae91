/** What Node 20 loads into the thread of its module loader. */
export { load, resolve } from './register-hooks.js';
