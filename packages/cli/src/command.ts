import type { ExitCode } from './exit-code.js';
import type { OptionValues } from './option-values.js';
import type { Terminal } from './terminal.js';

/** An option as the help lists it and `parseArgs` takes it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** The placeholder of the value in the help, as `<n>`. */
  readonly value?: string;
  readonly help: string;
}

export interface CommandCall {
  readonly values: OptionValues;
  /** As many as the command has arguments. */
  readonly arguments: readonly string[];
  readonly terminal: Terminal;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** The names of its arguments, all of them required. */
  readonly arguments: readonly string[];
  /** Beside the options that every command has. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Further paragraphs of its help. */
  readonly notes?: readonly string[];
  run(call: CommandCall): Promise<ExitCode>;
}
