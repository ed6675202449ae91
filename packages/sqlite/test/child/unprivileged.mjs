// A process without root's rights, which would write to anything. Arguments: file, user id. Prints the code and the message.
import { createSqliteStore } from '../../dist/index.js';
import { makeEvents } from './events.mjs';

const [file, userId] = process.argv.slice(2);
if (userId !== '') process.setuid(Number(userId));
const store = createSqliteStore({ file, driver: 'libsql' });
const tell = async (call) => {
  try {
    await call();
    return null;
  } catch (error) {
    return { code: error.code, message: error.message, hasCause: error.cause !== undefined };
  }
};
const append = await tell(() => store.append(makeEvents(1, 0, 1)));
const migrate = await tell(() => store.migrate());
console.log(JSON.stringify({ append, migrate }));
