import type { Command, CommandOption } from './command.js';
import { COMMANDS } from './commands.js';
import { renderTable } from './render-table.js';
import { SHARED_OPTIONS } from './shared-options.js';

const WIDTH = 100;

export function generalHelp(): string {
  const commands = renderTable(
    COMMANDS.map((command) => [{ text: `  ${signature(command)}` }, { text: command.summary }]),
  );
  return [
    'Usage: indelible <command> [options]',
    '',
    ...commands,
    '',
    'Options of every command:',
    ...optionLines(SHARED_OPTIONS),
    '',
    'Exit codes: 0 valid, 1 invalid, 2 incomplete, 3 could not run. Times are UTC.',
    'The secret comes from AUDIT_HMAC_KEY or --key-file, never from the command line.',
    'More: indelible <command> --help',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const own =
    Object.keys(command.options).length === 0 ? [] : ['', 'Options:', ...optionLines(command.options)];
  return [
    `Usage: indelible ${signature(command)} [options]`,
    '',
    ...wrap(`${command.name}: ${command.summary}.`),
    ...(command.notes ?? []).flatMap((note) => ['', ...wrap(note)]),
    ...own,
    '',
    'Options of every command:',
    ...optionLines(SHARED_OPTIONS),
  ].join('\n');
}

function signature(command: Command): string {
  return [command.name, ...command.arguments.map((name) => `<${name}>`)].join(' ');
}

function optionLines(options: Readonly<Record<string, CommandOption>>): string[] {
  return renderTable(
    Object.entries(options).map(([name, { short, value, help }]) => [
      {
        text: `  ${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
      },
      { text: help },
    ]),
  );
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
