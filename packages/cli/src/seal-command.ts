import type { Audit } from '@indelible/core';
import type { Command, CommandCall } from './command.js';
import { EXIT_CODE, type ExitCode } from './exit-code.js';
import { type OpenLog, withLog } from './open-log.js';
import { Hopeless, isPassing, repeatUntilStopped } from './repeat-until-stopped.js';

const DEFAULT_INTERVAL_MS = 1_000;
/** One batch of a server that is busy with other things. */
const SEAL_TIMEOUT_MS = 20_000;

export const sealCommand: Command = {
  name: 'seal',
  summary: 'seal what is pending in all logs',
  arguments: [],
  options: {
    watch: { type: 'boolean', help: 'go on until interrupted' },
    interval: { type: 'string', value: '<duration>', help: 'with --watch: how often to look; default 1s' },
  },
  notes: [
    'For an application that has neither the key nor rights on head and entries: this process has them. Several of them on one database do each other no harm.',
    'With --watch it waits for a database that is away, also at the start, and goes on past a log that can not be sealed, which it tells once. It ends at once where tables are missing, and where the first look finds only logs that the key does not fit.',
    'Exit code of --watch after SIGINT or SIGTERM: 0, or 2 where something could not be sealed in the last look.',
  ],
  run: (call) => {
    const intervalMs = call.values.duration('interval') ?? DEFAULT_INTERVAL_MS;
    return withLog(call, 'write', async (log) => {
      const audit = log.audit({ storeTimeoutMs: SEAL_TIMEOUT_MS });
      if (call.values.flag('watch')) return watch(call, log, audit, intervalMs);
      await log.store.check();
      report(call, await audit.seal(), 0);
      return EXIT_CODE.valid;
    });
  },
};

async function watch(call: CommandCall, log: OpenLog, audit: Audit, intervalMs: number): Promise<ExitCode> {
  const { terminal } = call;
  let total = 0;
  let hasWorked = false;
  let isTold = false;
  const outcome = await repeatUntilStopped(call, intervalMs, async () => {
    if (!hasWorked) await log.store.check();
    let failure: unknown;
    await audit.seal().catch((error: unknown) => {
      failure = error;
    });
    const sealed = audit.health().sealed - total;
    total += sealed;
    if (sealed > 0) report(call, sealed, total);
    // A wrong key fits no log. One log that was tampered with must not keep the others from their seal.
    if (failure !== undefined && !hasWorked && sealed === 0 && !isPassing(failure))
      throw new Hopeless(failure);
    if (!isTold) terminal.warn('sealing until interrupted');
    isTold = true;
    hasWorked ||= failure === undefined || sealed > 0;
    if (failure !== undefined) throw failure;
    terminal.progress(`sealed ${total}; nothing waits at ${new Date().toISOString().slice(11, 19)}`);
  });
  terminal.warn(`stopped after sealing ${total}`);
  return outcome === 'well' ? EXIT_CODE.valid : EXIT_CODE.incomplete;
}

function report({ terminal }: CommandCall, sealed: number, total: number): void {
  if (terminal.json) terminal.printJson(total === 0 ? { sealed } : { sealed, total });
  else terminal.print(`Sealed ${sealed} ${sealed === 1 ? 'event' : 'events'}.`);
}
