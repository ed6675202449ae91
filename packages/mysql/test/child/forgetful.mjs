// A process that appends one event and closes nothing. Argument: url.
import { makeEvents } from '../../../sqlite/test/child/events.mjs';
import { createMysqlStore } from '../../dist/index.js';

await createMysqlStore({ url: process.argv[2] }).append(makeEvents(1, 0, 1));
