import type { AuditStore } from '@indelible/core';
import type { Command, CommandCall } from './command.js';
import { EXIT_CODE } from './exit-code.js';
import { withLog } from './open-log.js';
import { UsageError } from './usage-error.js';

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'make the audit tables, or bring them up to date',
  arguments: [],
  options: {
    print: { type: 'boolean', help: 'print the SQL instead, for your own migrations; nothing is opened' },
  },
  notes: ['Running it again, or from several processes at once, does no harm.'],
  run: (call) =>
    withLog(call, 'write', async ({ store }) => {
      if (call.values.flag('print')) printSql(call, store);
      else await migrate(call, store);
      return EXIT_CODE.valid;
    }),
};

async function migrate({ terminal }: CommandCall, store: AuditStore): Promise<void> {
  const { applied, version } = await store.migrate();
  if (terminal.json) terminal.printJson({ applied, version });
  else if (applied.length === 0) terminal.print(`The tables are up to date (version ${version}).`);
  else terminal.print(`Applied ${applied.join(', ')}: the tables are at version ${version}.`);
}

function printSql({ terminal }: CommandCall, { name, migrationSql }: AuditStore): void {
  if (migrationSql === undefined) throw new UsageError(`the store ${name} has no SQL to print`);
  if (terminal.json) terminal.printJson({ sql: migrationSql });
  else terminal.print(migrationSql);
}
