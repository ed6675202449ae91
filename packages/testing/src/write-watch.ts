import { canonicalize, type JsonObject, type JsonValue, toJson } from '@indelible/core';
import { type Rows, replayChanges, sameRows, type UnauditedWrite } from './replay-changes.js';
import type { TestAudit } from './test-audit.js';

/** How a test reads one table: through the ORM, so that values look as they do in events. */
export type ReadRows = () => PromiseLike<readonly object[]> | readonly object[];

/** One table to watch. */
export interface WatchedTable {
  readonly rows: ReadRows;
  /** The field of the primary key, or several. @default 'id' */
  readonly key?: string | readonly string[];
  /** Fields that are not looked at: those that the audit leaves out. @default none */
  readonly except?: readonly string[];
}

/** Tables by the name that their events have as `resource.type`: the model's. */
export type WatchedTables = Readonly<Record<string, ReadRows | WatchedTable>>;

/** What `watchWrites()` has seen before the test. */
export interface WriteWatch {
  /** Writes since then that no event tells of. Call it when the work is done. */
  unaudited(): Promise<readonly UnauditedWrite[]>;
}

/**
 * Looks at the rows now and, when it is asked, again. What has changed in between must follow from the events of the
 * meantime, row by row and field by field: what does not was written past the audit, on a connection of its own say.
 *
 * A value that was redacted or cut in its event is taken as told. So is every row of a table of which an event says that it
 * is not exact.
 *
 * @throws TypeError for a row without its key
 * @example
 * const writes = await watchWrites(log, { Patient: () => prisma.patient.findMany() });
 * await admitPatient();
 * await assertNoUnauditedWrite(writes);
 */
export async function watchWrites(
  log: Pick<TestAudit, 'events'>,
  tables: WatchedTables,
): Promise<WriteWatch> {
  const watched = Object.entries(tables).map(([type, table]) => ({
    type,
    ...(typeof table === 'function' ? { rows: table } : table),
  }));
  if (watched.length === 0) throw new TypeError('watchWrites() takes at least one table');
  const readAll = async () => {
    const found = new Map<string, Rows>();
    for (const table of watched) found.set(table.type, await readTable(table));
    return found;
  };
  const seen = new Set((await log.events()).map(({ id }) => id));
  const before = await readAll();
  return Object.freeze({
    unaudited: async () => {
      const events = (await log.events()).filter(({ id }) => !seen.has(id));
      const told = replayChanges(before, events);
      const now = await readAll();
      return watched.flatMap(({ type }) =>
        told.inexact.has(type) ? [] : sameRows(type, told.rows.get(type), now.get(type)),
      );
    },
  });
}

async function readTable({
  type,
  rows,
  key = 'id',
  except = [],
}: WatchedTable & { type: string }): Promise<Rows> {
  const found = new Map<string, Map<string, JsonValue>>();
  for (const row of await rows()) {
    const fields = toJson(row);
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
      throw new TypeError(`watchWrites(): a row of ${type} is no object`);
    }
    const members = new Map(Object.entries(fields as JsonObject));
    const id = identity(type, members, typeof key === 'string' ? [key] : key);
    for (const name of except) members.delete(name);
    found.set(id, members);
  }
  return found;
}

/** As events name a row: the key's value as text, or the canonical JSON of its parts. */
function identity(type: string, row: ReadonlyMap<string, JsonValue>, key: readonly string[]): string {
  const parts = key.map((name) => {
    const value = row.get(name);
    if (value === undefined || value === null)
      throw new TypeError(`watchWrites(): a row of ${type} has no ${name}`);
    return [name, value] as const;
  });
  const [first] = parts;
  if (parts.length > 1 || first === undefined) return canonicalize(Object.fromEntries(parts));
  return typeof first[1] === 'string' ? first[1] : canonicalize(first[1]);
}
