import { isUuidV7, type StoreCondition, uuidTime } from '@indelible/core';
import { readNumber, readText } from './event-row.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';

/** More than so many need no exact number: somebody has to look either way. */
const MOST = 10_000;
/** Logs in which the oldest event is looked for: each is a seek. */
const MOST_LOGS = 1_000;

/** How much waits for the sealer and since when, in a time that does not grow with it. */
export async function inspectPending(session: Session, { pending }: Tables): Promise<StoreCondition> {
  const counted = await session.query(
    `SELECT COUNT(*) FROM (SELECT 1 FROM ${pending} LIMIT ${MOST}) AS waiting`,
  );
  const first = (condition: string) =>
    `SELECT p.log, p.id FROM ${pending} AS p FORCE INDEX (PRIMARY) ${condition} ORDER BY p.log, p.id LIMIT 1`;
  let oldest: string | undefined;
  let row = (await session.query(first(''))).rows[0];
  for (let looks = 0; row !== undefined && looks < MOST_LOGS; looks += 1) {
    const id = readText(row[1]);
    if (oldest === undefined || id < oldest) oldest = id;
    row = (await session.query(first('WHERE p.log > ?'), [readText(row[0])])).rows[0];
  }
  // What is no id of ours, only tampering can have put there; verification finds it.
  return {
    pending: readNumber(counted.rows[0]?.[0]),
    oldestPending: isUuidV7(oldest) ? uuidTime(oldest) : null,
  };
}
