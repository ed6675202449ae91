import type { Inexact } from '../dialect.js';
import type { MysqlTable, MysqlTrigger } from './mysql-table.js';
import type { RowWrite } from './write-shape.js';

export interface WriteLimits {
  /** Why the statement must run as it was written. */
  readonly blocks?: Inexact;
  /** What is not exact although the rows of the statement itself are seen. */
  readonly inexact: readonly Inexact[];
}

/** What the catalogue says about how far a write on the table can be captured. */
export function findWriteLimits(write: RowWrite, table: MysqlTable): WriteLimits {
  const mark = (fidelity: Inexact['fidelity'], reason: string): Inexact => ({
    table: table.name,
    fidelity,
    reason,
  });
  const name = `"${table.name.name}"`;
  if (table.kind === 'view') return { blocks: mark('opaque', `the view ${name}`), inexact: [] };
  const hidden = table.columns.filter(({ isReadable }) => isReadable === false);
  if (hidden.length > 0) {
    const columns = hidden.map((column) => column.name).join(', ');
    return { blocks: mark('opaque', `${name}, of which the user may not read ${columns}`), inexact: [] };
  }
  const isBlind = table.key.length === 0 && write.verb !== 'delete' && write.verb !== 'insert';
  if (isBlind || (table.key.length === 0 && (write.isMulti || write.updatesDuplicates))) {
    return { blocks: mark('opaque', `${name}, which has no primary key`), inexact: [] };
  }
  const inexact: Inexact[] = [];
  if (!table.isTransactional) {
    inexact.push(mark('opaque', `${name}, whose engine ${table.engine} keeps what a rollback should undo`));
  }
  for (const trigger of table.triggers) {
    if (!trigger.mayWrite || !fires(trigger, write)) continue;
    inexact.push(mark('opaque', `the trigger ${trigger.name} of ${name}, which may write other rows`));
  }
  if (table.key.length === 0) inexact.push(mark('exact', `${name}, which has no primary key`));
  return { inexact };
}

function fires({ event }: MysqlTrigger, write: RowWrite): boolean {
  switch (write.verb) {
    case 'insert':
      return event === 'insert' || (event === 'update' && write.updatesDuplicates);
    case 'replace':
      // It may update in the place of deleting and inserting.
      return true;
    default:
      return event === write.verb;
  }
}
