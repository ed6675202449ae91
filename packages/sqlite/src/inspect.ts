import { isUuidV7, type StoreCondition, uuidTime } from '@indelible/core';
import type { Connection } from './connection.js';
import { readNumber } from './event-row.js';

/** More than so many need no exact number: somebody has to look either way. */
const MOST = 10_000;
/** Logs in which the oldest event is looked for. */
const MOST_LOGS = 1_000;

/** How much waits for the sealer and since when, in a time that does not grow with it. */
export function inspectPending(connection: Connection): StoreCondition {
  const [row] = connection.all(
    `WITH RECURSIVE found (log) AS (
      SELECT min(log) FROM audit_pending
      UNION ALL
      SELECT (SELECT min(p.log) FROM audit_pending AS p WHERE p.log > found.log) FROM found WHERE found.log IS NOT NULL
      LIMIT ${MOST_LOGS})
    SELECT (SELECT count(*) FROM (SELECT 1 FROM audit_pending LIMIT ${MOST})),
      min((SELECT min(p.id) FROM audit_pending AS p WHERE p.log = found.log)) FROM found WHERE log IS NOT NULL`,
  );
  const oldest = row?.[1];
  // What is no id, only tampering can have put there; verification finds it.
  return { pending: readNumber(row?.[0]), oldestPending: isUuidV7(oldest) ? uuidTime(oldest) : null };
}
