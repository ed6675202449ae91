import { isUuidV7, type StoreCondition, uuidTime } from '@indelible/core';
import { readNumber } from './event-row.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

/** More than so many need no exact number: somebody has to look either way. */
const MOST = 10_000;

/** How much waits for the sealer and since when, in a time that does not grow with it. */
export async function inspectPending(session: Session, { pending }: Tables): Promise<StoreCondition> {
  // One step a log, as in readPendingLogs; uuid has no min() before PostgreSQL 18, and its text has the same order.
  const { rows } = await session.query(`WITH RECURSIVE first (log, id) AS (
      (SELECT p.log, p.id FROM ${pending} AS p ORDER BY p.log, p.id LIMIT 1)
      UNION ALL
      SELECT next.log, next.id FROM first, LATERAL (SELECT p.log, p.id FROM ${pending} AS p WHERE p.log > first.log
        ORDER BY p.log, p.id LIMIT 1) AS next)
    SELECT (SELECT count(*) FROM (SELECT FROM ${pending} LIMIT ${MOST}) AS waiting), min(id::text COLLATE "C") FROM first`);
  const [count, oldest] = rows[0] ?? [];
  // What is no id of ours, only tampering can have put there; verification finds it.
  return { pending: readNumber(count), oldestPending: isUuidV7(oldest) ? uuidTime(oldest) : null };
}
