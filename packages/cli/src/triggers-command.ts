import { readFileSync } from 'node:fs';
import { deriveKeys, type JsonValue } from '@indelible/core';
import {
  describeTriggers,
  type InstallOptions,
  installTriggers,
  type ListedTable,
  listTriggers,
  printTriggers,
  removeTriggers,
  type TableOptions,
} from '@indelible/postgres-triggers';
import type { Command, CommandCall } from './command.js';
import { escapeText } from './escape-text.js';
import { EXIT_CODE, type ExitCode } from './exit-code.js';
import { withLog } from './open-log.js';
import { osUser } from './record-reading.js';
import { renderTable } from './render-table.js';
import { tryGetSecret } from './secret.js';
import { type TriggerConnection, withTriggers } from './trigger-client.js';
import { UsageError } from './usage-error.js';

export const triggersCommand: Command = {
  name: 'triggers',
  summary: 'install, remove or list the triggers that record on PostgreSQL',
  arguments: ['install|remove|list'],
  options: {
    tables: { type: 'string', value: '<a,b>', help: 'these tables; `schema.table` outside of --schema' },
    all: { type: 'boolean', help: 'every table of the schema' },
    schema: { type: 'string', value: '<name>', help: 'the schema of the tables; default public' },
    exclude: {
      type: 'string',
      value: '<col,…>',
      help: 'columns of which nothing is recorded; or table.column',
    },
    mask: {
      type: 'string',
      value: '<col,…>',
      help: 'columns whose values are masked, beside those with secret names',
    },
    allow: {
      type: 'string',
      value: '<col,…>',
      help: 'columns with secret names that are recorded as they are',
    },
    name: { type: 'string', value: '<t=Name,…>', help: 'what events call a table, the model say' },
    names: {
      type: 'string',
      value: '<file>',
      help: 'JSON: { "posts": { "name": "Post", "fields": { "content": "body" } } }',
    },
    full: { type: 'boolean', help: 'updates record the whole row, before and after' },
    origin: { type: 'string', value: '<log>', help: "the audit's origin; default audit" },
    print: { type: 'boolean', help: 'print the SQL instead, for your own migrations; nothing is written' },
  },
  notes: [
    'Triggers record every change of a row, whoever makes it. Installing twice changes nothing but what is different; run it ' +
      'again when columns have come or gone. It is recorded in the log as audit.triggers_installed, with which `reconcile` ' +
      'compares what it finds.',
    'Exit code of list: 0 every table is recorded, 1 something keeps a table from being recorded in whole, 2 there are no triggers.',
  ],
  run: (call) => {
    const [what] = call.arguments;
    const run = what === undefined ? undefined : ACTIONS[what];
    if (run === undefined) throw new UsageError(`triggers takes install, remove or list, not '${what}'`);
    return withTriggers(call, (connection) => run(call, connection));
  },
};

const ACTIONS: Readonly<
  Record<string, (call: CommandCall, connection: TriggerConnection) => Promise<ExitCode>>
> = {
  install,
  remove,
  list,
};

async function install(call: CommandCall, connection: TriggerConnection): Promise<ExitCode> {
  const { terminal, values } = call;
  const options = installOptions(call, connection);
  if (values.flag('print')) {
    const sql = await printTriggers(connection.client, options);
    if (terminal.json) terminal.printJson({ sql });
    else terminal.print(sql);
    return EXIT_CODE.valid;
  }
  const installed = await installTriggers(connection.client, options);
  await recordTriggers(call, connection);
  if (terminal.json) {
    for (const table of installed) terminal.printJson({ ...table });
    return EXIT_CODE.valid;
  }
  for (const line of renderTable(
    installed.map(({ table, outcome, masked }) => [
      { text: escapeText(table) },
      { text: outcome },
      { text: masked.length === 0 ? '' : `masked: ${escapeText(masked.join(', '))}` },
    ]),
  )) {
    terminal.print(line);
  }
  return EXIT_CODE.valid;
}

async function remove(call: CommandCall, connection: TriggerConnection): Promise<ExitCode> {
  const { terminal } = call;
  const removed = await removeTriggers(connection.client, {
    ...tablesOf(call),
    auditSchema: connection.auditSchema,
  });
  if (removed.length > 0) await recordTriggers(call, connection);
  if (terminal.json) terminal.printJson({ removed });
  else {
    terminal.print(
      removed.length === 0
        ? 'There were no triggers.'
        : `Removed from ${escapeText(removed.join(', '))}: nobody records their changes now.`,
    );
  }
  return EXIT_CODE.valid;
}

async function list(call: CommandCall, { client, auditSchema }: TriggerConnection): Promise<ExitCode> {
  const { terminal, values } = call;
  const schema = values.text('schema');
  const tables = await listTriggers(client, { auditSchema, ...(schema === undefined ? {} : { schema }) });
  if (terminal.json) for (const table of tables) terminal.printJson({ ...table });
  else for (const line of renderTable(tables.map((table) => cells(table, call)))) terminal.print(line);
  if (tables.every(({ name }) => name === null)) {
    if (!terminal.json) terminal.print(terminal.palette.yellow('INCOMPLETE  no table has triggers'));
    return EXIT_CODE.incomplete;
  }
  return tables.some(({ problems }) => problems.length > 0) ? EXIT_CODE.invalid : EXIT_CODE.valid;
}

function cells({ table, name, level, problems, owner }: ListedTable, { terminal }: CommandCall) {
  const { green, red } = terminal.palette;
  return [
    {
      text: problems.length === 0 ? 'recorded' : problems.join(', '),
      paint: problems.length === 0 ? green : red,
    },
    { text: escapeText(table) },
    { text: name === null ? '' : `as ${escapeText(name)}` },
    { text: name === null ? '' : `by the ${level}` },
    { text: `owner: ${escapeText(owner)}` },
  ];
}

/** Puts into the log how the triggers stand, so that it shows when somebody touches them. */
async function recordTriggers(call: CommandCall, { client, auditSchema }: TriggerConnection): Promise<void> {
  const secret = tryGetSecret(call.values.text('key-file'), process.env);
  const keys = secret === undefined ? undefined : deriveKeys(secret);
  const event = describeTriggers(await listTriggers(client, { auditSchema }), keys);
  await withLog(call, 'write', async (log) => {
    await log
      .audit({ origin: call.values.text('origin') ?? 'audit' })
      .record({ ...event, actor: { type: 'user', id: osUser() }, context: { source: 'cli' } });
  });
}

function tablesOf({ values }: CommandCall): Pick<InstallOptions, 'tables' | 'schema'> {
  const named = values.list('tables');
  if (values.flag('all') === (named !== undefined)) throw new UsageError('name --tables, or pass --all');
  const schema = values.text('schema');
  return { tables: named ?? 'all', ...(schema === undefined ? {} : { schema }) };
}

function installOptions(call: CommandCall, { auditSchema }: TriggerConnection): InstallOptions {
  const { values } = call;
  const origin = values.text('origin');
  return {
    ...tablesOf(call),
    exclude: values.list('exclude') ?? [],
    mask: values.list('mask') ?? [],
    allow: values.list('allow') ?? [],
    models: { ...readNames(values.text('names')), ...namesOf(values.list('name') ?? []) },
    snapshot: values.flag('full') ? 'full' : 'changed',
    auditSchema,
    ...(origin === undefined ? {} : { origin }),
  };
}

function namesOf(entries: readonly string[]): Record<string, TableOptions> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at < 1 || at === entry.length - 1) throw new UsageError(`--name takes table=Name, not '${entry}'`);
      return [entry.slice(0, at), { name: entry.slice(at + 1) }];
    }),
  );
}

function readNames(file: string | undefined): Record<string, TableOptions> {
  if (file === undefined) return {};
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8')) as JsonValue;
  } catch (cause) {
    throw new UsageError(`--names ${file} can not be read as JSON`, { cause });
  }
  if (!isMembers(parsed)) throw new UsageError(`--names ${file}: expected an object of tables`);
  return Object.fromEntries(
    Object.entries(parsed).map(([table, options]) => {
      if (!isMembers(options)) throw new UsageError(`--names ${file}: expected an object for ${table}`);
      const { name, fields, link, softDelete, ...unknown } = options;
      const [stranger] = Object.keys(unknown);
      if (stranger !== undefined) throw new UsageError(`--names ${file}: ${table} has no option ${stranger}`);
      const isNamed = fields === undefined || (isMembers(fields) && Object.values(fields).every(isText));
      if (!(name === undefined || isText(name)) || !isNamed) {
        throw new UsageError(`--names ${file}: the names of ${table} must be text`);
      }
      return [
        table,
        {
          ...(name === undefined ? {} : { name }),
          ...(fields === undefined ? {} : { fields: fields as Readonly<Record<string, string>> }),
          ...(link === true ? { link } : {}),
          ...(softDelete === false || isText(softDelete) ? { softDelete } : {}),
        },
      ];
    }),
  );
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function isMembers(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
