import {
  type AuditEvent,
  type AuditKeys,
  type AuditStore,
  createUuidV7,
  isUuidV7,
  type JsonObject,
  type JsonValue,
  type ListedEvent,
  proveOperation,
  readBody,
  uuidTime,
} from '@indelible/core';

/**
 * Why a write is not explained.
 *
 * | reason | |
 * |---|---|
 * | `no-operation` | it did not come through the application: a hand on the database, a job without the library |
 * | `forged` | it names an operation that was not made with the key, or not with this actor, context and log |
 * | `replayed` | its operation is that of another transaction: somebody has copied what the application told |
 * | `stale` | its operation was made long before, or after, the row was written |
 * | `unreadable` | its event can not be read: run `indelible verify` |
 */
export type UnexplainedReason = 'no-operation' | 'forged' | 'replayed' | 'stale' | 'unreadable';

/** A row that was written and that the application never explained. */
export interface UnexplainedWrite {
  readonly reason: UnexplainedReason;
  readonly eventId: string;
  readonly log: string;
  /** Its place in the log, or null while it is pending. */
  readonly index: number | null;
  /** ISO 8601, by the database's clock. */
  readonly time: string;
  readonly action: string;
  /** The resource type, which is the table or what its triggers were told to call it. */
  readonly resourceType: string;
  readonly resourceId: string;
  /** Who the event says it was. A claim, where the reason is `forged`, `replayed` or `stale`. */
  readonly actorId: string;
  /** Who was connected, as the database knows it. */
  readonly user: string;
  readonly application: string | null;
  /** Null: through a socket of the same machine. */
  readonly address: string | null;
  /** The number of the database's transaction. */
  readonly transaction: string;
  readonly operation: string | null;
}

/** The unexplained writes of one database user and application on one table. */
export interface UnexplainedGroup {
  readonly reason: UnexplainedReason;
  readonly resourceType: string;
  readonly user: string;
  readonly application: string | null;
  readonly count: number;
  readonly transactions: number;
  readonly first: string;
  readonly last: string;
}

export interface Reconciliation {
  /** `explained`: every write that was looked at; `incomplete`: there is no key, or nothing to look at. */
  readonly result: 'explained' | 'unexplained' | 'incomplete';
  /** Writes that triggers have recorded. */
  readonly checked: number;
  readonly unexplained: number;
  /** The first of them, oldest first: at most `maxWrites`. */
  readonly writes: readonly UnexplainedWrite[];
  /** All of them, the largest first. */
  readonly groups: readonly UnexplainedGroup[];
  readonly notChecked: readonly { readonly what: string; readonly detail: string }[];
}

export interface ReconcileOptions {
  readonly store: AuditStore;
  /** Without them what an operation says of itself is believed, and the result is `incomplete`. */
  readonly keys?: AuditKeys | undefined;
  /** @default the beginning */
  readonly since?: Date;
  /** How long after an operation began its rows may be written, in milliseconds. @default 24 hours */
  readonly maxAgeMs?: number;
  /** Users of the database whose writes without an operation are expected: a migration's, say. @default none */
  readonly expectedUsers?: readonly string[];
  /** @default 1_000 */
  readonly maxWrites?: number;
  readonly signal?: AbortSignal;
  /** Called for each unexplained write, in order, and waited for: what it throws ends the run. */
  readonly onUnexplained?: (write: UnexplainedWrite) => void | Promise<void>;
}

const PAGE = 500;
const DAY_MS = 24 * 60 * 60 * 1000;
/** So far may the clocks of application and database be apart. */
const SKEW_MS = 5 * 60 * 1000;

/**
 * Finds the writes that triggers have recorded and the application never explained. It reads the log as it stands: whether
 * anybody has rewritten that is `verify`'s to say.
 *
 * @throws what the store throws
 * @example
 * const { groups } = await reconcile({ store, keys: deriveKeys(secret), since: new Date('2026-01-01') });
 */
export async function reconcile(options: ReconcileOptions): Promise<Reconciliation> {
  const { store, keys, since, maxAgeMs = DAY_MS, maxWrites = 1_000, signal, onUnexplained } = options;
  const expected = new Set(options.expectedUsers);
  const operations = new Operations(maxAgeMs);
  const writes: UnexplainedWrite[] = [];
  const groups = new Map<string, Group>();
  let checked = 0;
  let claimed = 0;
  let spared = 0;
  let unexplained = 0;
  // An operation that is used again may have been used before the time that is asked for.
  const start = since === undefined ? undefined : Math.max(0, since.getTime() - maxAgeMs);
  for await (const listed of dataEvents(store, start)) {
    if (signal?.aborted === true) break;
    const read = readWrite(listed, keys);
    if (read === undefined) continue;
    const { write, proof } = read;
    const reason = write.reason ?? (proof === 'none' ? 'no-operation' : operations.judge(write));
    if (since !== undefined && Date.parse(write.time) < since.getTime()) continue;
    checked += 1;
    if (proof === 'claimed') claimed += 1;
    if (reason === undefined) continue;
    if (reason === 'no-operation' && expected.has(write.user)) {
      spared += 1;
      continue;
    }
    unexplained += 1;
    const found: UnexplainedWrite = { ...write, reason };
    if (writes.length < maxWrites) writes.push(found);
    addTo(groups, found);
    await onUnexplained?.(found);
  }
  const notChecked = [
    ...(claimed > 0
      ? [{ what: 'unkeyed', detail: `${claimed} writes name an operation, and there is no key to check it` }]
      : []),
    ...(spared > 0
      ? [{ what: 'expected', detail: `${spared} writes by ${[...expected].join(', ')}, which are expected` }]
      : []),
    ...(checked === 0 ? [{ what: 'nothing', detail: 'no trigger has recorded a write' }] : []),
    ...(signal?.aborted === true ? [{ what: 'interrupted', detail: 'not all writes were looked at' }] : []),
  ];
  const isWhole = notChecked.every(({ what }) => what === 'expected');
  return {
    result: unexplained > 0 ? 'unexplained' : isWhole ? 'explained' : 'incomplete',
    checked,
    unexplained,
    writes,
    groups: [...groups.values()]
      .map(({ seen, ...group }) => ({ ...group, transactions: seen.size }))
      .sort(bySize),
    notChecked,
  };
}

/** @param start milliseconds since 1970-01-01 UTC */
async function* dataEvents(store: AuditStore, start: number | undefined): AsyncIterable<ListedEvent> {
  const filter = { category: 'data', order: 'oldest', limit: PAGE } as const;
  let after = start === undefined || start === 0 ? undefined : createUuidV7(new Date(start - 1));
  for (;;) {
    const page = await store.list(after === undefined ? filter : { ...filter, after });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

type Write = Omit<UnexplainedWrite, 'reason'> & { readonly reason: UnexplainedReason | undefined };

/** Undefined for what no trigger has written. */
function readWrite(
  listed: ListedEvent,
  keys: AuditKeys | undefined,
): { readonly write: Write; readonly proof: ReturnType<typeof proveOperation> } | undefined {
  const { id, log, index, columns } = listed;
  let event: AuditEvent;
  try {
    event = readBody(listed.body);
  } catch {
    const write: Write = {
      reason: 'unreadable',
      eventId: id,
      log,
      index,
      time: columns.time,
      action: columns.action,
      resourceType: columns.resourceType ?? '',
      resourceId: columns.resourceId ?? '',
      actorId: columns.actorId,
      user: '',
      application: null,
      address: null,
      transaction: '',
      operation: null,
    };
    return { write, proof: 'forged' };
  }
  const database = event.details?.database;
  if (!isMembers(database)) return undefined;
  const operation = event.details?.operation;
  const proof = proveOperation(event, keys);
  const write: Write = {
    reason: proof === 'forged' ? 'forged' : undefined,
    eventId: id,
    log,
    index,
    time: event.time,
    action: event.action,
    resourceType: event.resource?.type ?? '',
    resourceId: event.resource?.id ?? '',
    actorId: event.actor.id,
    user: textOf(database.user) ?? '',
    application: textOf(database.application) ?? null,
    address: textOf(database.address) ?? null,
    transaction: textOf(database.transaction) ?? '',
    operation: isMembers(operation) ? (textOf(operation.id) ?? null) : null,
  };
  return { write, proof };
}

/** Remembers which transaction an operation was seen in first, for as long as it could be used again. */
class Operations {
  readonly #seen = new Map<string, { readonly transaction: string; readonly until: number }>();

  constructor(private readonly maxAgeMs: number) {}

  judge({ operation, transaction, time }: Write): UnexplainedReason | undefined {
    const now = Date.parse(time);
    if (operation === null || !isUuidV7(operation)) return 'forged';
    const age = now - uuidTime(operation).getTime();
    if (age > this.maxAgeMs || age < -SKEW_MS) return 'stale';
    const first = this.#seen.get(operation);
    if (first !== undefined) return first.transaction === transaction ? undefined : 'replayed';
    // Events come in the order of their time, and so do those that are first forgotten.
    for (const [known, { until }] of this.#seen) {
      if (until > now) break;
      this.#seen.delete(known);
    }
    this.#seen.set(operation, { transaction, until: now + this.maxAgeMs + 2 * SKEW_MS });
    return undefined;
  }
}

type Group = Omit<UnexplainedGroup, 'transactions'> & { readonly seen: Set<string> };

function addTo(groups: Map<string, Group>, write: UnexplainedWrite): void {
  const { reason, resourceType, user, application, time, transaction } = write;
  const key = JSON.stringify([reason, resourceType, user, application]);
  const known = groups.get(key);
  const seen = known?.seen ?? new Set();
  seen.add(transaction);
  groups.set(key, {
    reason,
    resourceType,
    user,
    application,
    count: (known?.count ?? 0) + 1,
    first: known?.first ?? time,
    last: time,
    seen,
  });
}

function bySize(first: UnexplainedGroup, second: UnexplainedGroup): number {
  return second.count - first.count;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isMembers(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
