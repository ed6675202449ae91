import { AuditError } from '@indelible/core';
import type { Command } from './command.js';
import { escapeText } from './escape-text.js';
import { eventJson } from './event-json.js';
import { EXIT_CODE } from './exit-code.js';
import { withLog } from './open-log.js';
import { recordReading } from './record-reading.js';
import { renderEvent } from './render-event.js';
import { NO_RECORD_OPTION, READING_NOTE } from './shared-options.js';

export const showCommand: Command = {
  name: 'show',
  summary: 'one event in full',
  arguments: ['id'],
  options: { 'no-record': NO_RECORD_OPTION },
  notes: [READING_NOTE],
  run: (call) =>
    withLog(call, call.values.flag('no-record') ? 'read' : 'record', async (log) => {
      const id = call.arguments[0] ?? '';
      const event = await log.store.find(id.toLowerCase());
      if (event === null)
        throw new AuditError('AUDIT_NOT_FOUND', 'cli', `there is no event ${escapeText(id)}`);
      await recordReading(call, log, {
        action: 'audit.queried',
        details: { command: 'show', id: event.id },
        events: [event],
      });
      if (call.terminal.json) call.terminal.printJson(eventJson(event));
      else call.terminal.print(renderEvent(event, { colour: call.terminal.colour }));
      return EXIT_CODE.valid;
    }),
};
