import type { LogSummary, StoredHead } from '@indelible/core';
import type { Connection } from './connection.js';
import { readHead, readNumber, readText } from './event-row.js';

/** Loose: a step of the recursion is one seek, where DISTINCT would read every pending row. */
const PENDING_LOGS = `WITH RECURSIVE found (log) AS (
    SELECT min(log) FROM audit_pending
    UNION ALL
    SELECT (SELECT min(p.log) FROM audit_pending AS p WHERE p.log > found.log) FROM found WHERE found.log IS NOT NULL)
  SELECT log FROM found WHERE log IS NOT NULL`;

export function readPendingLogs(connection: Connection): readonly string[] {
  return connection.all(PENDING_LOGS).map((row) => readText(row[0]));
}

const SUMMARIES = `SELECT log, sum(events), sum(pending), sum(entries), sum(heads) FROM (
    SELECT log, count(*) AS events, 0 AS pending, 0 AS entries, 0 AS heads FROM audit_event GROUP BY log
    UNION ALL SELECT log, 0, count(*), 0, 0 FROM audit_pending GROUP BY log
    UNION ALL SELECT log, 0, 0, count(*), 0 FROM audit_entry GROUP BY log
    UNION ALL SELECT log, 0, 0, 0, 1 FROM audit_head
    UNION ALL SELECT log, 0, 0, 0, 0 FROM audit_checkpoint GROUP BY log)
  GROUP BY log ORDER BY log`;

export function readSummaries(connection: Connection): readonly LogSummary[] {
  return connection.all(SUMMARIES).map(([log, events, pending, entries, heads]) => ({
    log: readText(log),
    events: readNumber(events),
    pending: readNumber(pending),
    entries: readNumber(entries),
    hasHead: readNumber(heads) > 0,
  }));
}

export function tryReadHead(connection: Connection, log: string): StoredHead | null {
  const [row] = connection.all('SELECT log, size, hash, range, mac FROM audit_head WHERE log = ?', [log]);
  return row === undefined ? null : readHead(row);
}
