import type { AuditStore, EventFilter, ListedEvent } from '@indelible/core';
import type { Command } from './command.js';
import { escapeText } from './escape-text.js';
import { EXIT_CODE } from './exit-code.js';
import { withLog } from './open-log.js';
import { printEvents } from './print-events.js';
import { recordReading } from './record-reading.js';
import { LOG_OPTION, NO_RECORD_OPTION, READING_NOTE } from './shared-options.js';

const PAGE = 500;

export const historyCommand: Command = {
  name: 'history',
  summary: 'everything that happened to one resource, oldest first',
  arguments: ['type', 'id'],
  options: {
    log: LOG_OPTION,
    limit: { type: 'string', value: '<n>', help: 'only the newest n events; default: all' },
    'no-record': NO_RECORD_OPTION,
  },
  notes: [READING_NOTE],
  run: (call) => {
    const [resourceType = '', resourceId = ''] = call.arguments;
    const name = call.values.text('log');
    const limit = call.values.whole('limit', 1);
    const filter = { resourceType, resourceId, ...(name === undefined ? {} : { log: name }) };
    return withLog(call, call.values.flag('no-record') ? 'read' : 'record', async (log) => {
      const events = await newest(log.store, filter, limit ?? Number.POSITIVE_INFINITY);
      await recordReading(call, log, {
        action: 'audit.queried',
        details: { command: 'history', filter, events: events.length },
        events,
      });
      printEvents(call.terminal, events);
      if (events.length === 0) {
        call.terminal.warn(`nothing is recorded of ${escapeText(resourceType)} ${escapeText(resourceId)}`);
      }
      return EXIT_CODE.valid;
    });
  },
};

/** The newest events that pass the filter, at most `limit`, oldest of them first. */
async function newest(store: AuditStore, filter: EventFilter, limit: number): Promise<ListedEvent[]> {
  const events: ListedEvent[] = [];
  while (events.length < limit) {
    const last = events.at(-1);
    const page = await store.list({
      ...filter,
      order: 'newest',
      limit: Math.min(PAGE, limit - events.length),
      ...(last === undefined ? {} : { after: last.id }),
    });
    if (page.length === 0) break;
    events.push(...page);
  }
  return events.reverse();
}
