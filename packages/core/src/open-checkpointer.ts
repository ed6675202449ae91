import type { AuditSettings } from './audit-settings.js';
import { Checkpointer, HEARTBEAT } from './checkpointer.js';
import type { ErrorReporter } from './error-reporter.js';
import { makeOwnEvent } from './own-event.js';
import type { PrepareSettings } from './prepare-event.js';
import type { Sealer } from './sealer.js';
import type { StoreConnection } from './store-connection.js';

export interface CheckpointerParts {
  readonly settings: AuditSettings;
  readonly connection: StoreConnection;
  readonly sealer: Sealer;
  readonly reporter: ErrorReporter;
  readonly prepared: PrepareSettings;
}

/** What makes the checkpoints of an audit; null where none are made. */
export function openCheckpointer(parts: CheckpointerParts): Checkpointer | null {
  const { settings, connection, sealer, reporter, prepared } = parts;
  const { checkpoints, keys, keyedFrom, origin, drainTimeoutMs } = settings;
  if (checkpoints === null) return null;
  return new Checkpointer({
    ...checkpoints,
    store: () => connection.get(),
    reporter,
    keys,
    keyedFrom,
    origin,
    drainTimeoutMs,
    heartbeat: async (log) => {
      const event = makeOwnEvent(prepared, HEARTBEAT, {}, { log });
      await connection.append([event]);
      sealer.stored([event]);
      await sealer.drain();
    },
    logs: () => sealer.logNames,
  });
}
