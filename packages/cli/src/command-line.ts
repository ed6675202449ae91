import { parseArgs } from 'node:util';
import { auditErrorCode } from '@indelible/core';
import type { Command, CommandOption } from './command.js';
import { COMMANDS } from './commands.js';
import { escapeText } from './escape-text.js';
import { EXIT_CODE, type ExitCode } from './exit-code.js';
import { commandHelp, generalHelp } from './help-text.js';
import { OptionValues } from './option-values.js';
import { SHARED_OPTIONS } from './shared-options.js';
import { createTerminal } from './terminal.js';
import { UsageError } from './usage-error.js';
import { version } from './version.js';

/** Runs one command line, without `node` and the script, and answers with its exit code. It never throws. */
export async function runCommandLine(args: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  const terminal = createTerminal(args.includes('--json'));
  try {
    const [name = '--help', ...rest] = args;
    if (name === '--version') {
      terminal.print(version());
      return EXIT_CODE.valid;
    }
    if (name === '--help' || name === '-h' || name === 'help') {
      terminal.print(rest[0] === undefined ? generalHelp() : commandHelp(getCommand(rest[0])));
      return args.length === 0 ? EXIT_CODE.couldNotRun : EXIT_CODE.valid;
    }
    const command = getCommand(name);
    const { values, positionals } = parse(command, rest);
    if (values.help === true) {
      terminal.print(commandHelp(command));
      return EXIT_CODE.valid;
    }
    checkArguments(command, positionals);
    return await command.run({
      values: new OptionValues(values),
      arguments: positionals,
      terminal,
      signal,
    });
  } catch (error) {
    const message = describe(error);
    if (terminal.json) terminal.fail({ error: { code: auditErrorCode(error) ?? null, message } });
    else terminal.warn(message);
    return EXIT_CODE.couldNotRun;
  }
}

function getCommand(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((candidate) => candidate.name).join(', ');
  throw new UsageError(`unknown command '${name}'; there are ${names}`);
}

function parse(command: Command, args: readonly string[]) {
  const known: Readonly<Record<string, CommandOption>> = { ...command.options, ...SHARED_OPTIONS };
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { type, short }]) => [
      name,
      short === undefined ? { type } : { type, short },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('. ')[0] ?? cause.message) : String(cause);
    const hint = /'--(hmac-)?key'/.test(message)
      ? '; a secret on the command line could be read by every process: use AUDIT_HMAC_KEY or --key-file'
      : `; see indelible ${command.name} --help`;
    throw new UsageError(`${message}${hint}`, { cause });
  }
}

function checkArguments(command: Command, given: readonly string[]): void {
  const missing = command.arguments[given.length];
  if (missing !== undefined) {
    throw new UsageError(`${command.name} needs <${missing}>; see indelible ${command.name} --help`);
  }
  const surplus = given[command.arguments.length];
  if (surplus !== undefined) {
    throw new UsageError(`${command.name} does not take '${surplus}'; see indelible ${command.name} --help`);
  }
}

/** The message and those of its causes: the cause is what says "disk full". */
function describe(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; current !== undefined && parts.length < 4; ) {
    parts.push(current instanceof Error ? current.message : String(current));
    current = current instanceof Error ? current.cause : undefined;
    if (error instanceof UsageError) break;
  }
  return escapeText(parts.join('; because: '));
}
