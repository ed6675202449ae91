import type { SqlQueryable } from './driver-adapter.js';
import { type DriverAnswer, type Intercept, reachPerform } from './private-reach.js';

/** What the mariadb driver answers where there are no rows. */
interface Done {
  readonly affectedRows: number;
  readonly insertId: bigint;
  readonly warningStatus: number;
}

/**
 * Looks at what the mariadb driver answers a transaction: an array of rows with the columns in `meta`, or the number of rows
 * and the generated key.
 *
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function interceptMariadbAnswers(queryable: SqlQueryable): Intercept {
  const perform = reachPerform(queryable);
  const waiting = new WeakMap<object, (answers: readonly DriverAnswer[]) => void>();
  Reflect.set(queryable, 'performIO', async (query: object): Promise<unknown> => {
    const raw = await perform(query);
    const take = waiting.get(query);
    if (take === undefined) return raw;
    const answer: DriverAnswer = { fields: metaOf(raw), rows: Array.isArray(raw) ? rowsOf(raw) : [] };
    const columns = answer.fields.length;
    take([answer]);
    if (answer.told !== undefined) return done(answer.told.count, answer.told.insertId);
    if (answer.fields.length === columns) return raw;
    return Object.assign(answer.rows, { meta: answer.fields });
  });
  return (query, take) => {
    waiting.set(query, take);
  };
}

function metaOf(raw: unknown): unknown[] {
  const meta: unknown = Array.isArray(raw) ? Reflect.get(raw, 'meta') : undefined;
  return Array.isArray(meta) ? [...meta] : [];
}

function rowsOf(raw: readonly unknown[]): unknown[][] {
  return raw.filter((row): row is unknown[] => Array.isArray(row));
}

function done(count: number, insertId = 0n): Done {
  return { affectedRows: count, insertId, warningStatus: 0 };
}
