import type { Command } from './command.js';
import { EXIT_CODE } from './exit-code.js';
import { withLog } from './open-log.js';

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'make the audit tables, or bring them up to date',
  arguments: [],
  options: {},
  notes: ['Running it again, or from several processes at once, does no harm.'],
  run: (call) =>
    withLog(call, 'write', async ({ store }) => {
      const { applied, version } = await store.migrate();
      if (call.terminal.json) call.terminal.printJson({ applied, version });
      else if (applied.length === 0) call.terminal.print(`The tables are up to date (version ${version}).`);
      else call.terminal.print(`Applied ${applied.join(', ')}: the tables are at version ${version}.`);
      return EXIT_CODE.valid;
    }),
};
