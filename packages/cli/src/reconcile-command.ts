import { spawn } from 'node:child_process';
import { deriveKeys } from '@indelible/core';
import {
  checkTriggers,
  listTriggers,
  type Reconciliation,
  reconcile,
  type TriggerFinding,
} from '@indelible/postgres-triggers';
import type { Command, CommandCall } from './command.js';
import { escapeText } from './escape-text.js';
import { EXIT_CODE, type ExitCode } from './exit-code.js';
import { withLog } from './open-log.js';
import { renderTable } from './render-table.js';
import { tryGetSecret } from './secret.js';
import { withTriggers } from './trigger-client.js';
import { UsageError } from './usage-error.js';

const SHOWN = 20;

export const reconcileCommand: Command = {
  name: 'reconcile',
  summary: 'list the writes that the application never explained',
  arguments: [],
  options: {
    since: {
      type: 'string',
      value: '<when>',
      help: 'a time (2026-01-31T08:00Z) or a duration (24h); default: all',
    },
    'max-age': {
      type: 'string',
      value: '<duration>',
      help: 'how long after an operation began its rows may be written; default 24h',
    },
    expect: {
      type: 'string',
      value: '<user,…>',
      help: 'users of the database whose writes need no explanation',
    },
    limit: { type: 'string', value: '<n>', help: 'list at most so many writes; default 1000' },
    'alert-command': {
      type: 'string',
      value: '<command>',
      help: 'run this in a shell where something is found, with the result as JSON on its stdin',
    },
  },
  notes: [
    'A trigger records every write, with the user of the database, and with the operation of the application that made it. A ' +
      'write without an operation was made by somebody else: by hand, by a job without the library. One whose operation was not ' +
      'made with the secret is forged; one whose operation another transaction has had is replayed.',
    'It tells too where triggers are missing, off, or were off since `triggers install`. Run `verify` before: what stands in a log ' +
      'that was rewritten explains nothing.',
    'Exit code: 0 everything is explained, 1 something is not, 2 it could not be told (no secret, no triggers, interrupted), 3 it could not run.',
  ],
  run: (call) => {
    const { values } = call;
    const since = sinceOf(values.text('since'), call);
    const maxAgeMs = values.duration('max-age');
    const maxWrites = values.whole('limit', 1);
    const expectedUsers = values.list('expect') ?? [];
    const secret = tryGetSecret(values.text('key-file'), process.env);
    const keys = secret === undefined ? undefined : deriveKeys(secret);
    return withTriggers(call, ({ client, auditSchema }) =>
      withLog(call, 'read', async ({ store }) => {
        await store.check();
        const triggers = await checkTriggers(store, await listTriggers(client, { auditSchema }), keys);
        const found = await reconcile({
          store,
          keys,
          expectedUsers,
          signal: call.signal,
          ...(since === undefined ? {} : { since }),
          ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
          ...(maxWrites === undefined ? {} : { maxWrites }),
        });
        const result = triggers.length > 0 ? 'unexplained' : found.result;
        const told = { ...found, result, triggers };
        report(call, told);
        const command = values.text('alert-command');
        if (command !== undefined && result === 'unexplained') await alert(command, JSON.stringify(told));
        return CODES[result];
      }),
    );
  },
};

const CODES: Readonly<Record<Reconciliation['result'], ExitCode>> = {
  explained: EXIT_CODE.valid,
  unexplained: EXIT_CODE.invalid,
  incomplete: EXIT_CODE.incomplete,
};

/** For somebody who was woken by it. */
const WHAT_IS_WRONG: Readonly<Record<TriggerFinding['problem'], string>> = {
  missing:
    'triggers are missing, and what they would tell is on no record. Run `indelible triggers install`, and ask who took them off',
  disabled:
    'triggers are switched off, or not on in every session. Run `indelible triggers install`, and ask who did it',
  outdated:
    'the table has changed since they were installed, or they are of an older version. Run `indelible triggers install`',
  replaced:
    'the functions of the triggers are not those of this library. Look at them, then run `indelible triggers install`',
  level: 'rows may be told in the wrong order. Run `indelible triggers install`',
  doubled:
    'rows are told twice: it is a partition now of a table that has triggers too. Run `indelible triggers remove` on it',
  changed:
    'they were switched off and on, dropped or made anew since they were installed: what was written meanwhile may be on no record. ' +
    'Where that was a deployment, run `indelible triggers install`, which puts them on record again',
  gone: 'the table was dropped or renamed. Run `indelible triggers install` where it goes on under another name',
  unrecorded:
    'no event of the log says that they were installed. Run `indelible triggers install` with the key, or look who made them',
};

const WHAT_TO_DO: Readonly<Record<Reconciliation['groups'][number]['reason'], string>> = {
  'no-operation':
    'the application did not make these writes. The user, program and address above are what the database itself knows; where they ' +
    'are expected, of a migration say, name the user with --expect',
  forged:
    'somebody has told the triggers of an actor or a request without knowing the key. Who it was stands behind "by", not in the actor. ' +
    'If it is all writes of an application, its AUDIT_HMAC_KEY is another one than here',
  replayed:
    'somebody has used again what the application had told. Who it was stands behind "by", not in the actor',
  stale:
    'the operation began long before its rows were written: a very long transaction (--max-age), or somebody has kept it for later',
  unreadable: 'the event itself can not be read. Run `indelible verify`',
};

type Told = Reconciliation & { readonly triggers: readonly TriggerFinding[] };

function sinceOf(text: string | undefined, { values }: CommandCall): Date | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(?:ms|s|m|h|d)$/.test(text)) return new Date(Date.now() - (values.duration('since') ?? 0));
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(time.getTime())) {
    throw new UsageError(
      `--since takes a time such as 2026-01-31T08:00Z or a duration such as 24h, not '${text}'`,
    );
  }
  return time;
}

function report({ terminal }: CommandCall, told: Told): void {
  if (terminal.json) {
    terminal.printJson({ ...told });
    return;
  }
  const { red, green, yellow, bold } = terminal.palette;
  const { result, checked, unexplained, groups, writes, notChecked, triggers } = told;
  const paint = result === 'explained' ? green : result === 'incomplete' ? yellow : red;
  terminal.print(
    `${paint(result.toUpperCase())}  ${checked} ${checked === 1 ? 'write' : 'writes'} of triggers looked at, ${unexplained} not explained`,
  );
  for (const { table, problem } of triggers)
    terminal.print(`  ${red(problem)}  ${bold(escapeText(table))}: ${WHAT_IS_WRONG[problem]}`);
  for (const group of groups) {
    const { reason, count, transactions, resourceType, user, application, first, last } = group;
    const with_ = application === null ? '' : ` with ${escapeText(application)}`;
    terminal.print(
      `  ${red(reason)}  ${bold(`${count} on ${escapeText(resourceType)}`)} by ${escapeText(user)}${with_}, in ${transactions} ${transactions === 1 ? 'transaction' : 'transactions'}, ${first} to ${last}`,
    );
  }
  if (writes.length > 0) terminal.print('');
  for (const line of renderTable(
    writes
      .slice(0, SHOWN)
      .map(({ time, action, resourceId, actorId, user, address, reason, eventId }) => [
        { text: `  ${time}` },
        { text: reason },
        { text: `${escapeText(action)} ${escapeText(resourceId)}` },
        { text: actorId === user ? escapeText(user) : `${escapeText(user)} as ${escapeText(actorId)}` },
        { text: address === null ? 'local' : escapeText(address) },
        { text: eventId },
      ]),
  )) {
    terminal.print(line);
  }
  if (unexplained > SHOWN)
    terminal.print(`  … ${unexplained - Math.min(SHOWN, writes.length)} more; --json has up to --limit`);
  const reasons = new Set(groups.map(({ reason }) => reason));
  if (reasons.size > 0) terminal.print('');
  for (const reason of reasons) terminal.print(`${bold(reason)}: ${WHAT_TO_DO[reason]}`);
  for (const { what, detail } of notChecked)
    terminal.print(yellow(`not checked: ${what}: ${escapeText(detail)}`));
}

/** @throws Error where the command fails: an alarm that nobody hears must show */
async function alert(command: string, input: string): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ['pipe', 'inherit', 'inherit'] });
  // A command that does not read its input closes it.
  child.stdin.on('error', () => {});
  child.stdin.end(`${input}\n`);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`the alert command failed with exit code ${code}`);
}
