import type { Database } from './database.js';
import { readNumber } from './event-row.js';
import type { Session } from './session.js';
import { quoteText, type Tables } from './tables.js';

/** Months that have a partition before they begin. */
const AHEAD = 3;
/** With fewer than so many the log lives on what DEFAULT takes before somebody has looked. */
const ENOUGH = 2;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Keeps partitions of `audit_event` ahead of time. What is not as it should be is a warning: events go to DEFAULT meanwhile. */
export class Partitions {
  private nextLook = 0;

  constructor(
    private readonly database: Database,
    private readonly tables: Tables,
    private readonly warn: (message: string) => void,
  ) {}

  /** Makes what is missing, if a day has passed since the last time. */
  async keepAhead(): Promise<void> {
    if (Date.now() >= this.nextLook) await this.makeAhead();
  }

  async makeAhead(): Promise<void> {
    this.nextLook = Date.now() + DAY_MS;
    const sql = `SELECT ${this.tables.makePartitions}($1::int)`;
    try {
      const { rows } = await this.database.use((session) => session.query(sql, [AHEAD]));
      this.tell(readNumber(rows[0]?.[0]));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.warn(`the partitions of the next months could not be made: ${reason}`);
    }
  }

  /** Counts them, which every role may. @returns the months after this one that have one */
  async countAhead(session: Session): Promise<number> {
    const { rows } = await session.query(
      `SELECT count(*) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = ${quoteText(this.tables.event)}::regclass AND c.relname ~ '^audit_event_[0-9]{4}_[0-9]{2}$'
          AND c.relname > 'audit_event_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')`,
    );
    const ahead = readNumber(rows[0]?.[0]);
    this.tell(ahead);
    return ahead;
  }

  private tell(ahead: number): void {
    if (ahead >= ENOUGH) return;
    this.warn(
      `of the next ${AHEAD} months ${ahead} ${ahead === 1 ? 'has' : 'have'} a partition of audit_event: the events of the others go to audit_event_default`,
    );
  }
}
