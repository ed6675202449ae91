import { type AuditEvent, auditErrorCode, canonicalize, type JsonObject } from '@indelible/core';
import type { Way } from './recorded-operation.js';

/** The rows of every table, as canonical JSON, in no order. Told apart by nothing but what they hold. */
export type Rows = ReadonlyMap<string, readonly string[]>;

/** What an operation came to, as its events and the tables show. */
export interface Observation {
  /** `left alone` stands for what changes no audited row, `no such thing` for what the database has no way to do. */
  readonly outcome: 'exact' | 'after-only' | 'count-only' | 'opaque' | 'left alone' | 'no such thing';
  /** `some`: exact events tell a part of what happened, and one that is not exact stands for the rest. */
  readonly exactRows?: 'some';
  /** What the events give as the cause. */
  readonly reason?: string;
  /** What `strict` makes of it, where it does not let it pass. */
  readonly strict?: 'refused' | 'refused before it runs' | 'refused after it has run, and rolled back';
}

/** One fresh database on which an operation is done once. */
export interface Trial {
  /** Runs the statements of the operation through the engine. */
  run(): Promise<void>;
  /** The tables, read on a connection that is not audited. */
  read(): Promise<Rows>;
  /** The same as the application's own connection sees them, inside of the transaction that is open on it. */
  readInside(): Promise<Rows>;
  /** Ends the transaction that the operation has left open, where it failed. */
  undo(): Promise<void>;
  events(): Promise<readonly AuditEvent[]>;
  close(): Promise<void>;
}

/** @param inTransaction puts BEGIN in front, and leaves the transaction open where a statement is refused */
export type StartTrial = (way: Way, options: { strict: boolean; inTransaction: boolean }) => Promise<Trial>;

/** Marks, the weakest first. */
export const WEAKEST = ['opaque', 'count-only', 'after-only'] as const;

/** @throws Error where something was lost without an event, was told wrong, or was not refused although it is not exact */
export async function observe(way: Way, start: StartTrial): Promise<Observation> {
  const trial = await start(way, { strict: false, inTransaction: false });
  let seen: Observation;
  try {
    const before = await trial.read();
    await trial.run();
    seen = compare(way, await trial.events(), before, await trial.read());
  } finally {
    await trial.close();
  }
  const strict = await observeStrict(way, start);
  if (seen.outcome !== 'exact' && seen.outcome !== 'left alone' && strict === undefined) {
    throw new Error(`this is ${seen.outcome}, and strict lets it pass`);
  }
  return strict === undefined ? seen : { ...seen, strict };
}

function compare(way: Way, events: readonly AuditEvent[], before: Rows, after: Rows): Observation {
  const changes = events.filter(({ change }) => change !== undefined);
  const exact = changes.filter(({ change }) => change?.fidelity === 'exact');
  const weakest = WEAKEST.find((fidelity) => changes.some(({ change }) => change?.fidelity === fidelity));
  const replayed = replay(exact, before, weakest === undefined);
  if (weakest === undefined) {
    const isTold = canonicalize(asJson(replayed)) === canonicalize(asJson(after));
    if (changes.length === 0 && (isTold || way.isLeftAlone === true)) {
      if (way.isLeftAlone === true) return { outcome: 'left alone' };
      throw new Error('the operation changes nothing, so it shows nothing');
    }
    if (changes.length === 0) throw new Error('rows have changed and no event tells of it');
    if (!isTold)
      throw new Error(`the events tell ${describe(replayed)} and the tables hold ${describe(after)}`);
    return { outcome: 'exact' };
  }
  const reasons = changes.flatMap(({ details }) =>
    typeof details?.reason === 'string' ? [details.reason] : [],
  );
  return {
    outcome: weakest,
    ...(exact.length > 0 ? { exactRows: 'some' } : {}),
    reason: [...new Set(reasons)].join('; '),
  };
}

/**
 * What the tables would hold after the exact events.
 * @param isWhole false: events may leave out what the role can not read, because another event says so
 * @throws Error for an event of a row that was not there
 */
function replay(events: readonly AuditEvent[], before: Rows, isWhole: boolean): Rows {
  const rows = new Map([...before].map(([table, held]) => [table, [...held]]));
  for (const { change, resource, action } of events) {
    const table = rows.get(resource?.type ?? '') ?? [];
    rows.set(resource?.type ?? '', table);
    if (change?.before !== undefined) {
      const told = change.before;
      const row = canonicalize(told);
      const at = table.findIndex((held) => held === row || (!isWhole && holds(held, told)));
      if (at === -1) throw new Error(`${action} has a before that no row was: ${row}`);
      table.splice(at, 1);
    }
    if (change?.after !== undefined) table.push(canonicalize(change.after));
  }
  return rows;
}

function holds(held: string, told: JsonObject): boolean {
  const row: unknown = JSON.parse(held);
  const fields = new Map(Object.entries(typeof row === 'object' && row !== null ? row : {}));
  return Object.entries(told).every(([name, value]) => fields.get(name) === value);
}

async function observeStrict(way: Way, start: StartTrial): Promise<Observation['strict']> {
  const alone = await refusal(way, start, false);
  const inside = await refusal(way, start, true);
  if (alone === undefined && inside === undefined) return undefined;
  if (alone === undefined || inside === undefined) {
    throw new Error('strict refuses this inside of a transaction or outside of one, and not both');
  }
  return inside.isUntouched ? 'refused before it runs' : 'refused after it has run, and rolled back';
}

/** @returns undefined where it is not refused */
async function refusal(
  way: Way,
  start: StartTrial,
  inTransaction: boolean,
): Promise<{ readonly isUntouched: boolean } | undefined> {
  const trial = await start(way, { strict: true, inTransaction });
  try {
    const before = canonicalize(asJson(await trial.read()));
    try {
      await trial.run();
      return undefined;
    } catch (error) {
      if (auditErrorCode(error) !== 'AUDIT_NOT_EXACT') throw error;
    }
    const isUntouched = canonicalize(asJson(await trial.readInside())) === before;
    await trial.undo();
    if (canonicalize(asJson(await trial.read())) !== before) {
      throw new Error('strict has refused this and something was written all the same');
    }
    if ((await trial.events()).length > 0) throw new Error('strict has refused this, and it left events');
    return { isUntouched };
  } finally {
    await trial.close();
  }
}

/** Without the tables that hold nothing, and in one order. */
function asJson(rows: Rows): JsonObject {
  return Object.fromEntries(
    [...rows].filter(([, held]) => held.length > 0).map(([table, held]) => [table, [...held].sort()]),
  );
}

function describe(rows: Rows): string {
  return JSON.stringify(asJson(rows));
}
