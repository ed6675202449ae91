import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { writeBundle } from '@indelible/core';
import type { Command } from './command.js';
import { escapeText } from './escape-text.js';
import { EXIT_CODE } from './exit-code.js';
import { withLog } from './open-log.js';
import { recordReading } from './record-reading.js';
import { KEYED_FROM_OPTION, NO_RECORD_OPTION, ONE_LOG_OPTION } from './shared-options.js';
import { signLog } from './sign-log.js';
import { SIGNING_KEY_OPTION } from './signing-key.js';

export const exportBundleCommand: Command = {
  name: 'export-bundle',
  summary: 'a whole log with a signed checkpoint, for an auditor without the database',
  arguments: ['file'],
  options: {
    log: ONE_LOG_OPTION,
    'signing-key': SIGNING_KEY_OPTION,
    'keyed-from': KEYED_FROM_OPTION,
    'no-record': NO_RECORD_OPTION,
  },
  notes: [
    'Writes a .tar.gz that `npx @indelible/verifier` reads. Every body is hashed before the checkpoint is signed: a log that was altered is not exported. ' +
      'Until the last byte is on disk the file is called <file>.partial.',
    'The verifier key is shown for the auditor’s policy. Give it to him another way than the bundle: whoever could exchange both could exchange the log.',
    'The export is recorded: the log gets an event audit.exported with the name of the operating-system user.',
  ],
  run: (call) => {
    const [file = ''] = call.arguments;
    return withLog(call, call.values.flag('no-record') ? 'read' : 'record', async (log) => {
      const { checkpoint, verifierKey } = await signLog(call, log, call.values.text('log'));
      const bundle = writeBundle(log.store, checkpoint.note, {
        signal: call.signal,
        onProgress: (done, total) => call.terminal.progress(`writing: ${done} of ${total} entries`),
      });
      const partial = `${file}.partial`;
      await pipeline(bundle, createGzip(), createWriteStream(partial, { flush: true }), {
        signal: call.signal,
      });
      await rename(partial, file);
      const { size } = checkpoint;
      const root = Buffer.from(checkpoint.root).toString('hex');
      await recordReading(call, log, {
        action: 'audit.exported',
        details: { command: 'export-bundle', log: checkpoint.log, size, root },
      });
      if (call.terminal.json) {
        call.terminal.printJson({ file, log: checkpoint.log, size, root, verifierKey });
      } else {
        call.terminal.print(
          `${escapeText(file)}: ${size} entries of ${escapeText(checkpoint.log)}, root ${root}`,
        );
        call.terminal.print(`For the auditor's policy: log ${escapeText(verifierKey)}`);
      }
      return EXIT_CODE.valid;
    });
  },
};
