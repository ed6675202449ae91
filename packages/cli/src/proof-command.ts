import { writeFile } from 'node:fs/promises';
import { AuditError, proveContinuation, proveEvent } from '@indelible/core';
import type { Command, CommandCall } from './command.js';
import { escapeText } from './escape-text.js';
import { EXIT_CODE } from './exit-code.js';
import { withLog } from './open-log.js';
import { recordReading } from './record-reading.js';
import { KEYED_FROM_OPTION, NO_RECORD_OPTION, ONE_LOG_OPTION } from './shared-options.js';
import { signLog } from './sign-log.js';
import { SIGNING_KEY_OPTION } from './signing-key.js';
import { UsageError } from './usage-error.js';

const OUT_OPTION = {
  type: 'string',
  value: '<path>',
  help: 'write it to this file; default: stdout',
} as const;

export const proofCommand: Command = {
  name: 'proof',
  summary: 'one event with the proof that it stands in its log, for somebody without the database',
  arguments: ['id'],
  options: {
    out: OUT_OPTION,
    'signing-key': SIGNING_KEY_OPTION,
    'keyed-from': KEYED_FROM_OPTION,
    'no-record': NO_RECORD_OPTION,
  },
  notes: [
    'Writes a .tlog-proof (c2sp.org/tlog-proof) that carries the event; `npx @indelible/verifier` reads it. The rest of the log is in it only as hashes.',
    'The export is recorded: the log gets an event audit.exported with the name of the operating-system user.',
  ],
  run: (call) =>
    withLog(call, call.values.flag('no-record') ? 'read' : 'record', async (log) => {
      const id = (call.arguments[0] ?? '').toLowerCase();
      const event = await log.store.find(id);
      if (event === null)
        throw new AuditError('AUDIT_NOT_FOUND', 'cli', `there is no event ${escapeText(id)}`);
      if (event.index === null) throw new UsageError(`the event ${id} is not sealed yet: run indelible seal`);
      const { checkpoint, verifierKey } = await signLog(call, log, event.log);
      const proof = await proveEvent(log.store, checkpoint.note, event.index);
      await recordReading(call, log, {
        action: 'audit.exported',
        details: { command: 'proof', event: id, index: event.index, size: checkpoint.size },
        events: [event],
      });
      await give(call, proof, verifierKey);
      return EXIT_CODE.valid;
    }),
};

export const consistencyCommand: Command = {
  name: 'consistency',
  summary: 'the proof that a log continues what it was at an earlier checkpoint',
  arguments: ['size'],
  options: {
    log: ONE_LOG_OPTION,
    out: OUT_OPTION,
    'signing-key': SIGNING_KEY_OPTION,
    'keyed-from': KEYED_FROM_OPTION,
  },
  notes: [
    'The size is that of a checkpoint that somebody else kept. `npx @indelible/verifier` compares the proof with the checkpoint in his policy.',
  ],
  run: (call) =>
    withLog(call, 'read', async (log) => {
      const [text = ''] = call.arguments;
      if (!/^[1-9]\d{0,15}$/.test(text)) throw new UsageError(`'${escapeText(text)}' is no size of a log`);
      const { checkpoint, verifierKey } = await signLog(call, log, call.values.text('log'));
      if (Number(text) > checkpoint.size) throw new UsageError(`the log has ${checkpoint.size} entries only`);
      await give(call, await proveContinuation(log.store, checkpoint.note, Number(text)), verifierKey);
      return EXIT_CODE.valid;
    }),
};

/** The proof is what is asked for; by which key it is verified is for the person who asks. */
async function give({ values, terminal }: CommandCall, proof: string, verifierKey: string): Promise<void> {
  const out = values.text('out');
  if (terminal.json) terminal.printJson({ proof, verifierKey });
  else {
    if (out === undefined) process.stdout.write(proof);
    terminal.warn(`for the auditor's policy: log ${escapeText(verifierKey)}`);
  }
  if (out !== undefined) await writeFile(out, proof);
}
