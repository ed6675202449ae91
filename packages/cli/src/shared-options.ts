import type { CommandOption } from './command.js';

/** What every command takes. */
export const SHARED_OPTIONS = {
  url: {
    type: 'string',
    value: '<url>',
    help: 'the database; default: AUDIT_DATABASE_URL, else file:./audit.db if that file exists',
  },
  'key-file': {
    type: 'string',
    value: '<path>',
    help: 'a file that holds the secret; default: the environment variable AUDIT_HMAC_KEY',
  },
  json: {
    type: 'boolean',
    help: 'machine-readable output: one JSON object, or one a line for lists',
  },
  help: { type: 'boolean', short: 'h', help: 'this text' },
} as const satisfies Record<string, CommandOption>;

export const LOG_OPTION = {
  type: 'string',
  value: '<name>',
  help: 'only this log; default: all logs',
} as const satisfies CommandOption;

export const ONE_LOG_OPTION = {
  type: 'string',
  value: '<name>',
  help: 'the log; default: the only one there is',
} as const satisfies CommandOption;

export const KEYED_FROM_OPTION = {
  type: 'string',
  value: '<n>',
  help: 'the index from which on entries must be keyed; default 0 where there is a key',
} as const satisfies CommandOption;

export const NO_RECORD_OPTION = {
  type: 'boolean',
  help: 'do not record this reading in the log',
} as const satisfies CommandOption;

export const READING_NOTE =
  'Reading is recorded: the log gets an event audit.queried with the name of the operating-system user and the filter. ' +
  'Where it can not be written, a line on stderr says so and the answer is given all the same.';
