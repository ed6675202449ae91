import type { Command } from './command.js';
import { FILTER_OPTIONS, readFilter } from './event-filter.js';
import { EXIT_CODE } from './exit-code.js';
import { EventFollower } from './follow-events.js';
import { withLog } from './open-log.js';
import { printEvents } from './print-events.js';
import { recordReading } from './record-reading.js';
import { NO_RECORD_OPTION, READING_NOTE } from './shared-options.js';

const DEFAULT_LIMIT = 20;

export const tailCommand: Command = {
  name: 'tail',
  summary: 'the newest events, oldest of them first',
  arguments: [],
  options: {
    limit: { type: 'string', short: 'n', value: '<n>', help: `how many; default ${DEFAULT_LIMIT}` },
    follow: { type: 'boolean', short: 'f', help: 'go on with new events until interrupted' },
    ...FILTER_OPTIONS,
    'no-record': NO_RECORD_OPTION,
  },
  notes: [READING_NOTE],
  run: (call) => {
    const filter = readFilter(call.values);
    const limit = call.values.whole('limit', 0) ?? DEFAULT_LIMIT;
    const follow = call.values.flag('follow');
    return withLog(call, call.values.flag('no-record') ? 'read' : 'record', async (log) => {
      const follower = new EventFollower(log.store, filter);
      if (follow) await follower.start();
      const newest = limit === 0 ? [] : await log.store.list({ ...filter, order: 'newest', limit });
      const events = [...newest].reverse();
      follower.skip(events);
      await recordReading(call, log, {
        action: 'audit.queried',
        details: { command: 'tail', filter: { ...filter }, follow, events: events.length },
        events,
      });
      printEvents(call.terminal, events);
      if (!follow) return EXIT_CODE.valid;
      for await (const more of follower.follow(call.signal)) printEvents(call.terminal, more, false);
      return EXIT_CODE.valid;
    });
  },
};
