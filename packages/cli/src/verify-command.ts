import type { Verdict, VerifyOptions } from '@indelible/core';
import type { Command, CommandCall } from './command.js';
import { verdictJson } from './event-json.js';
import { EXIT_CODE, type ExitCode } from './exit-code.js';
import { withLog } from './open-log.js';
import { recordReading } from './record-reading.js';
import { renderVerdict } from './render-verdict.js';
import { KEYED_FROM_OPTION, LOG_OPTION } from './shared-options.js';

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'check that nobody rewrote the log',
  arguments: [],
  options: {
    log: LOG_OPTION,
    'keyed-from': KEYED_FROM_OPTION,
    'max-skew': {
      type: 'string',
      value: '<duration>',
      help: "how far an event's time may be from its sealing; default 24h",
    },
    'max-findings': {
      type: 'string',
      value: '<n>',
      help: 'list at most so many findings a log; default 1000',
    },
    record: { type: 'boolean', help: 'record the verification and its result in the log' },
  },
  notes: [
    'Exit code: 0 every log is valid, 1 at least one is invalid, 2 something could not be checked to the end or there is no log, 3 it could not run.',
    'What is verified is not written to, so that a copy of a database can be checked as it was found and without rights to write it. ' +
      'On the live database pass --record: the log then gets an event audit.verified with the name of the operating-system user and the result.',
  ],
  run: (call) => {
    const record = call.values.flag('record');
    const options = verifyOptions(call);
    const keyedFrom = call.values.whole('keyed-from', 0);
    return withLog(call, record ? 'record' : 'read', async (log) => {
      const audit = log.audit(keyedFrom === undefined ? {} : { keyedFrom });
      const verdicts = await audit.verify(options);
      report(call, verdicts);
      if (record) {
        const details = { results: verdicts.map(({ log, result, size }) => ({ log, result, size })) };
        await recordReading(call, log, { action: 'audit.verified', details });
      }
      return exitCode(verdicts);
    });
  },
};

function verifyOptions({ values, terminal, signal }: CommandCall): VerifyOptions {
  const log = values.text('log');
  const maxSkewMs = values.duration('max-skew');
  const maxFindings = values.whole('max-findings', 1);
  return {
    signal,
    onProgress: (done, total) => terminal.progress(`verifying: ${done} of ${total} entries`),
    ...(log === undefined ? {} : { log }),
    ...(maxSkewMs === undefined ? {} : { maxSkewMs }),
    ...(maxFindings === undefined ? {} : { maxFindings }),
  };
}

function report({ terminal, signal }: CommandCall, verdicts: readonly Verdict[]): void {
  if (terminal.json) {
    terminal.printJson({ result: overall(verdicts), logs: verdicts.map(verdictJson) });
    return;
  }
  if (signal.aborted) terminal.warn('interrupted');
  if (verdicts.length === 0) terminal.print(terminal.palette.yellow('INCOMPLETE  there is no log to verify'));
  for (const verdict of verdicts) {
    terminal.print(
      renderVerdict(verdict, { colour: terminal.colour, maxFindings: Number.POSITIVE_INFINITY }),
    );
  }
}

/** One finding anywhere is invalid; a database without a log proves nothing. */
function overall(verdicts: readonly Verdict[]): Verdict['result'] {
  if (verdicts.some(({ result }) => result === 'invalid')) return 'invalid';
  return verdicts.length > 0 && verdicts.every(({ result }) => result === 'valid') ? 'valid' : 'incomplete';
}

function exitCode(verdicts: readonly Verdict[]): ExitCode {
  return EXIT_CODE[overall(verdicts)];
}
