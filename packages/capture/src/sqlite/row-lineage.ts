import type { Capture } from './capture-triggers.js';

/** The fate of one row within one statement: where it stood and what it was, and where it stands now. */
export interface Lineage {
  readonly table: number;
  /** Null where the statement made the row. */
  before: string | null;
  /** The row's first place; null where the statement made it. */
  from: string | null;
  /** The row's last place. */
  at: string;
  deleted: boolean;
  after: string | null;
}

/**
 * Folds the firings of one statement into one lineage a row. A row that a statement touches several times, through
 * cascades or triggers, is one change: from how it stood before to how it stands after.
 */
export function foldCaptures(captures: readonly Capture[]): Lineage[] {
  const lineages: Lineage[] = [];
  const living = new Map<string, Lineage>();
  const place = (table: number, at: string): string => `${table} ${at}`;
  for (const capture of captures) {
    const { table, from, to } = capture;
    if (capture.event === 'insert') {
      const known = living.get(place(table, to));
      if (known !== undefined) {
        // A trigger of the application touched the new row before its insertion was noted.
        known.before = null;
        known.from = null;
        continue;
      }
      const made: Lineage = { table, before: null, from: null, at: to, deleted: false, after: capture.after };
      lineages.push(made);
      living.set(place(table, to), made);
      continue;
    }
    let lineage = living.get(place(table, from));
    if (lineage === undefined) {
      lineage = { table, before: capture.before, from, at: from, deleted: false, after: null };
      lineages.push(lineage);
    }
    living.delete(place(table, from));
    if (capture.event === 'delete') {
      lineage.deleted = true;
    } else {
      lineage.at = to;
      lineage.after = capture.after;
      living.set(place(table, to), lineage);
    }
  }
  return lineages;
}
