import type { Inexact, RowChange } from '../dialect.js';
import { fatesOf, isCarriedOn, reachableTables, type SchemaView } from './cascades.js';
import type { PostgresTable, TriggerEvent } from './postgres-table.js';
import type { RowWrite } from './write-shape.js';

/**
 * A table that goes with its session, and from which nothing goes elsewhere: what is worked with and not kept.
 */
export function isScratch({ isTemporary, kind, rules, triggers }: PostgresTable): boolean {
  const isTable = kind === 'table' || kind === 'partitioned';
  return isTemporary && isTable && rules.length === 0 && triggers.every(({ mayWrite }) => !mayWrite);
}

/** Who records what happens to a table: the engine, triggers of the database by themselves, or they in part only. */
export type Recorder = 'engine' | 'triggers' | 'mixed';

export function recorderOf({ recorders }: PostgresTable, events: readonly TriggerEvent[]): Recorder {
  const found = events.map((event) => recorders.get(event));
  if (found.every((part) => part === 'whole')) return 'triggers';
  return found.every((part) => part === undefined) ? 'engine' : 'mixed';
}

/** True for a change that a trigger tells: told by the engine as well it would stand there twice. */
export function isToldByTrigger({ table, before, after }: PostgresChange): boolean {
  return recorderOf(table, [before === null ? 'insert' : after === null ? 'delete' : 'update']) !== 'engine';
}

export type PostgresChange = RowChange & { readonly table: PostgresTable };

export function toldInPart({ name }: PostgresTable): Inexact {
  const reason = `"${name.name}", of which triggers record only a part`;
  return { table: name, fidelity: 'opaque', reason };
}

/** The table that is written, and others. */
export type ReachedTables = readonly [PostgresTable, ...PostgresTable[]];

/**
 * The table and those to which foreign keys carry the write on.
 * @returns undefined where triggers do not record all of them
 */
export async function reachedWithin(
  view: SchemaView,
  write: RowWrite,
  table: PostgresTable,
): Promise<ReachedTables | undefined> {
  if (!isCarriedOn(write, table)) return [table];
  const others = new Map<string, PostgresTable>();
  for (const fate of fatesOf(write, table)) {
    for (const reached of await reachableTables(view, table, fate)) {
      if (view.ignores(reached.name)) continue;
      if (recorderOf(reached, ['update', 'delete']) !== 'triggers') return undefined;
      if (reached.oid !== table.oid) others.set(reached.oid, reached);
    }
  }
  return [table, ...others.values()];
}
