import { AuditError } from './audit-error.js';
import { logName } from './log-name.js';

/** How many logs events were put into, for health. */
export interface LogCount {
  /** Logs that this process has written to or is about to. */
  readonly inUse: number;
  /** `maxLogs`. */
  readonly limit: number;
  /** Events that went to the overflow log because the limit was reached. */
  readonly overflowed: number;
}

export interface LogNamesOptions {
  readonly origin: string;
  readonly maxLogs: number;
  /** Told once, when the limit is first met. */
  readonly onOverflow: (error: AuditError) => void;
}

/**
 * Which log an event belongs to, with a bound on how many logs one process makes: a tenant that is read from a request is
 * whatever the sender of the request likes. Beyond the bound the events of further tenants go to one log,
 * `<origin>/~overflow`. No tenant can have that name, because `~` is encoded in all of them.
 */
export class LogNames {
  private readonly known = new Set<string>();
  private overflowed = 0;

  constructor(private readonly options: LogNamesOptions) {}

  of(tenant: string | undefined): string {
    const { origin, maxLogs } = this.options;
    const name = logName(origin, tenant);
    if (name === origin || this.known.has(name)) return name;
    if (this.known.size < maxLogs) {
      this.known.add(name);
      return name;
    }
    const overflow = overflowLog(origin);
    if (this.overflowed === 0) {
      this.options.onOverflow(
        new AuditError(
          'AUDIT_LOGS_EXCEEDED',
          'core',
          `this process has written to the logs of ${maxLogs} tenants: events of further ones go to the log ${overflow}`,
        ),
      );
    }
    this.overflowed += 1;
    return overflow;
  }

  count(): LogCount {
    return { inUse: this.known.size, limit: this.options.maxLogs, overflowed: this.overflowed };
  }
}

/** The log of the events whose tenants came beyond `maxLogs`. */
export function overflowLog(origin: string): string {
  return `${origin}/~overflow`;
}
