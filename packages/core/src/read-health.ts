import type { AuditSettings } from './audit-settings.js';
import type { Checkpointer } from './checkpointer.js';
import type { Delivery } from './delivery.js';
import type { ErrorReporter } from './error-reporter.js';
import type { Health, StoreHealth } from './health.js';
import type { LogNames } from './log-names.js';
import type { Outboxes } from './outboxes.js';
import type { Recovery } from './recovery.js';
import type { Sealer } from './sealer.js';
import type { Spool } from './spool.js';

export interface HealthParts {
  readonly settings: AuditSettings;
  readonly reporter: ErrorReporter;
  readonly delivery: Delivery;
  readonly sealer: Sealer;
  readonly checkpointer: Checkpointer | null;
  readonly spool: Spool;
  readonly recovery: Recovery;
  readonly outboxes: Outboxes | null;
  readonly logs: LogNames;
  /** Events that joined transactions. */
  readonly joined: number;
  readonly lastLook: StoreHealth | null;
}

/** Reads counters and asks nobody, so that it is right while everything is down and in an exit handler. */
export function readHealth(parts: HealthParts): Health {
  const { settings, reporter, delivery, sealer, checkpointer, spool, recovery, outboxes } = parts;
  const { logs, joined, lastLook } = parts;
  const now = Date.now();
  const age = (since: number | null) => (since === null ? null : Math.max(0, now - since));
  const last = reporter.last ?? sealer.failure ?? checkpointer?.failure ?? null;
  const relay = outboxes?.health(now) ?? null;
  return {
    ok: last === null,
    recorded: delivery.recorded + joined,
    pending: delivery.buffered + sealer.waiting + (relay?.waiting ?? 0),
    sealed: sealer.sealed,
    spooled: spool.size,
    spooledBytes: spool.bytes,
    replayed: recovery.replayed,
    lost: recovery.lost,
    failures: reporter.count,
    oldestPendingMs: age(sealer.oldest),
    oldestSpooledMs: age(spool.oldest),
    lastError: last,
    policies: settings.policies,
    sealer: { by: settings.sealing, lastSuccess: sealer.lastSuccess, lastError: sealer.failure },
    checkpoints:
      checkpointer === null
        ? null
        : { lastSuccess: checkpointer.lastSuccess, lastError: checkpointer.failure },
    logs: logs.count(),
    relay,
    store: lastLook,
  };
}
