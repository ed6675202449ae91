import type { Inexact } from '../dialect.js';
import type { PostgresTable, TriggerEvent } from './postgres-catalogue.js';
import { UNTRANSLATABLE } from './text-encoding.js';
import type { RowWrite } from './write-shape.js';

export interface WriteLimits {
  /** Why the statement must run as it was written. */
  readonly blocks?: Inexact;
  /** What is not exact although the rows of the statement itself are seen. */
  readonly inexact: readonly Inexact[];
  /** What the form that shows its rows may fail for where the statement as it was written does not. */
  readonly pitfalls: readonly Pitfall[];
}

/** Why a statement can not be captured that fails with such an error. */
export interface Pitfall {
  readonly error: RegExp;
  readonly inexact: Inexact;
}

// insufficient_privilege: a policy too.
const NOT_ALLOWED = /\b42501\b/;
const NONE: Pick<WriteLimits, 'inexact' | 'pitfalls'> = { inexact: [], pitfalls: [] };

/** What the catalogue says about how far a write on the table can be captured. */
export function findWriteLimits(write: RowWrite, table: PostgresTable): WriteLimits {
  const mark = (fidelity: Inexact['fidelity'], reason: string): Inexact => ({
    table: table.name,
    fidelity,
    reason,
  });
  const name = `"${table.name.name}"`;
  const [rule] = table.rules;
  if (table.kind === 'view' || table.kind === 'materialized view') {
    return { blocks: mark('opaque', `the view ${name}`), ...NONE };
  }
  if (table.kind === 'other') return { blocks: mark('opaque', name), ...NONE };
  if (rule !== undefined) return { blocks: mark('opaque', `the rule ${rule} of ${name}`), ...NONE };
  // What the statement returns has the columns of this table only, and can not say whose row it is.
  if (table.kind === 'table' && table.children.length > 0 && write.verb !== 'insert' && !write.isOnly) {
    return { blocks: mark('opaque', `${name}, from which other tables inherit`), ...NONE };
  }
  const hidden = table.columns.filter(({ isReadable }) => !isReadable).map((column) => column.name);
  if (hidden.length === table.columns.length) {
    return { blocks: mark('opaque', `${name}, which the role may not read`), ...NONE };
  }
  const pitfalls = pitfallsOf(table);
  // RETURNING makes the policies for reading hold as well, as a WHERE does that reads the row: without one, a write that
  // was allowed would find fewer rows, or, where it inserts, fail.
  if (table.hasRowSecurity && write.returning === null) {
    const unseen = mark('opaque', `row-level security on ${name}`);
    if (write.verb === 'insert') pitfalls.push({ error: NOT_ALLOWED, inexact: unseen });
    else if (
      write.verb === 'merge' ||
      !table.columns.some(({ name: column }) => write.whereNames.has(column))
    ) {
      return { blocks: unseen, ...NONE };
    }
  }
  const inexact: Inexact[] = [];
  if (hidden.length > 0) {
    inexact.push(mark('opaque', `${name}, of which the role may not read ${hidden.join(', ')}`));
  }
  inexact.push(...findFurtherWrites(write, table));
  if (table.key.length === 0) inexact.push(mark('exact', `${name}, which has no primary key`));
  return { inexact, pitfalls };
}

/** What a value of the table may make a statement fail for that returns it, or asks for it. */
function pitfallsOf({ name, encoding }: PostgresTable): Pitfall[] {
  if (encoding !== 'unsure') return [];
  const reason = `values of "${name.name}" that have no form in UTF-8`;
  return [{ error: UNTRANSLATABLE, inexact: { table: name, fidelity: 'opaque', reason } }];
}

/** What triggers of the table may write elsewhere. */
function findFurtherWrites(write: RowWrite, { name, triggers }: PostgresTable): readonly Inexact[] {
  return triggers
    .filter(({ mayWrite, events }) => mayWrite && eventsOf(write).some((event) => events.has(event)))
    .map((trigger) => ({
      table: name,
      fidelity: 'opaque',
      reason: `the trigger ${trigger.name} of "${name.name}", which may write other rows`,
    }));
}

/** The same for a write that the database's own triggers tell: what they do not see. */
export function findUntold(write: RowWrite, table: PostgresTable): readonly Inexact[] {
  const further = findFurtherWrites(write, table);
  const [rule] = table.rules;
  if (rule === undefined) return further;
  const reason = `the rule ${rule} of "${table.name.name}"`;
  return [{ table: table.name, fidelity: 'opaque', reason }, ...further];
}

export function eventsOf(write: RowWrite): readonly TriggerEvent[] {
  if (write.verb === 'merge') return ['insert', 'update', 'delete'];
  return write.conflict === 'update' ? ['insert', 'update'] : [write.verb];
}
