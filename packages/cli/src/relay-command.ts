import { createRelay, openStore } from '@indelible/core';
import type { Command, CommandCall } from './command.js';
import { databaseUrl } from './database-url.js';
import { EXIT_CODE } from './exit-code.js';
import { repeatUntilStopped } from './repeat-until-stopped.js';
import { UsageError } from './usage-error.js';

const DEFAULT_INTERVAL_MS = 1_000;
const BUSY_MS = 100;

export const relayCommand: Command = {
  name: 'relay',
  summary: 'bring events from the outbox of an application to the log in another database',
  arguments: [],
  options: {
    from: { type: 'string', value: '<url>', help: 'the database of the application, with the outbox' },
    to: { type: 'string', value: '<url>', help: 'the database of the log; default: as --url' },
    watch: { type: 'boolean', help: 'go on until interrupted' },
    interval: { type: 'string', value: '<duration>', help: 'with --watch: how often to look; default 1s' },
  },
  notes: [
    "For an application with `relay: 'external'`. Events arrive at least once and are stored once; they leave the outbox only after they are durable in the log, so it may be killed at any point. Several of them do each other no harm. It needs no secret and seals nothing.",
    'With --watch it waits for databases that are away, also at the start.',
    'Exit code of --watch after SIGINT or SIGTERM: 0, or 2 where the last look failed.',
  ],
  run: async (call) => {
    const { values, terminal } = call;
    const from = values.text('from');
    if (from === undefined) throw new UsageError('relay needs --from <url>; see indelible relay --help');
    const intervalMs = values.duration('interval') ?? DEFAULT_INTERVAL_MS;
    const to = await openStore(values.text('to') ?? databaseUrl(values.text('url'), process.env));
    const source = await openStore(from);
    const relay = await createRelay({ from: source, to, onError: (error) => terminal.warn(error.message) });
    try {
      if (values.flag('watch')) return await watch(call, relay, intervalMs);
      for (;;) {
        const { moved, busy } = await relay.pass();
        if (!busy) {
          report(call, moved);
          return EXIT_CODE.valid;
        }
        await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
      }
    } finally {
      await relay.close();
      await Promise.all([source.close(), to.close()]);
    }
  },
};

async function watch(
  call: CommandCall,
  relay: Awaited<ReturnType<typeof createRelay>>,
  intervalMs: number,
): Promise<0 | 2> {
  let total = 0;
  let isTold = false;
  const outcome = await repeatUntilStopped(call, intervalMs, async () => {
    const { moved } = await relay.pass();
    if (!isTold) call.terminal.warn('relaying until interrupted');
    isTold = true;
    total += moved;
    if (moved > 0) report(call, moved, total);
    call.terminal.progress(`relayed ${total}; nothing waits at ${new Date().toISOString().slice(11, 19)}`);
  });
  call.terminal.warn(`stopped after relaying ${total}`);
  return outcome === 'well' ? EXIT_CODE.valid : EXIT_CODE.incomplete;
}

function report({ terminal }: CommandCall, moved: number, total?: number): void {
  if (terminal.json) terminal.printJson(total === undefined ? { moved } : { moved, total });
  else terminal.print(`Relayed ${moved} ${moved === 1 ? 'event' : 'events'}.`);
}
