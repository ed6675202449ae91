import { setTimeout as sleep } from 'node:timers/promises';
import { type Audit, auditErrorCode } from '@indelible/core';
import type { Command, CommandCall } from './command.js';
import { EXIT_CODE } from './exit-code.js';
import { withLog } from './open-log.js';

const DEFAULT_INTERVAL_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export const sealCommand: Command = {
  name: 'seal',
  summary: 'seal what is pending in all logs',
  arguments: [],
  options: {
    watch: { type: 'boolean', help: 'go on until interrupted' },
    interval: { type: 'string', value: '<duration>', help: 'with --watch: how often to look; default 1s' },
  },
  notes: [
    'For an application that has neither the key nor rights on head and entries: this process has them.',
    'With --watch it outlives a database that is away for a while.',
  ],
  run: (call) => {
    const intervalMs = call.values.duration('interval') ?? DEFAULT_INTERVAL_MS;
    return withLog(call, 'write', async (log) => {
      // A missing table is an error at once, also with --watch.
      await log.store.check();
      const audit = log.audit();
      if (!call.values.flag('watch')) {
        report(call, await audit.seal());
        return EXIT_CODE.valid;
      }
      await watch(call, audit, intervalMs);
      return EXIT_CODE.valid;
    });
  },
};

async function watch(call: CommandCall, audit: Audit, intervalMs: number): Promise<void> {
  let total = 0;
  let pauseMs = intervalMs;
  while (!call.signal.aborted) {
    try {
      const sealed = await audit.seal();
      total += sealed;
      pauseMs = intervalMs;
      if (sealed > 0) report(call, sealed);
    } catch (error) {
      if (!passes(error)) throw error;
      pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS);
      call.terminal.warn(`${error instanceof Error ? error.message : String(error)} (trying again)`);
    }
    await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => undefined);
  }
  call.terminal.warn(`stopped after sealing ${total}`);
}

/** True for failures that may be over on the next try; a wrong key never is. */
function passes(error: unknown): boolean {
  const code = auditErrorCode(error);
  return code === 'AUDIT_STORE_UNAVAILABLE' || code === 'AUDIT_STORE_TIMEOUT';
}

function report({ terminal }: CommandCall, sealed: number): void {
  if (terminal.json) terminal.printJson({ sealed });
  else terminal.print(`Sealed ${sealed} ${sealed === 1 ? 'event' : 'events'}.`);
}
