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
 *
 * Updates and deletes are noted before they happen, and may then not happen: the statement says OR IGNORE, or a trigger
 * of the application says RAISE(IGNORE). What is noted later shows it, or `settleLineages`.
 */
export function foldCaptures(captures: readonly Capture[]): Lineage[] {
  const fold = new Fold();
  for (const capture of captures) fold.add(capture);
  return fold.lineages;
}

class Fold {
  readonly lineages: Lineage[] = [];
  readonly #living = new Map<string, Lineage>();
  /** The row that was last deleted at a place or moved away from it. */
  readonly #left = new Map<string, Lineage>();
  /** Rows that go to a place once the row that stands there is gone (OR REPLACE), by that place. */
  readonly #waiting = new Map<string, { readonly lineage: Lineage; readonly to: string }>();
  readonly #cameFrom = new Map<Lineage, string>();
  readonly #replaced = new Set<Lineage>();

  add(capture: Capture): void {
    const { table, from, to, event, taken } = capture;
    if (event === 'insert') {
      this.#insert(table, to, capture.after);
      return;
    }
    const lineage = this.#rowAt(table, from, capture.before);
    if (event !== 'update') {
      if (event === 'replace') this.#replaced.add(lineage);
      lineage.deleted = true;
      this.#leave(lineage);
      this.#moveIn(table, from);
      return;
    }
    lineage.after = capture.after;
    if (from === to) return;
    if (taken !== null && !this.#hasLeft(table, taken)) {
      this.#waiting.set(place(table, taken), { lineage, to });
    } else {
      this.#move(lineage, to);
    }
  }

  #rowAt(table: number, at: string, image: string | null): Lineage {
    const here = place(table, at);
    const known = this.#living.get(here);
    if (known !== undefined) return known;
    const left = this.#left.get(here);
    if (left?.deleted === true) {
      // It is touched again where it was deleted: it was not.
      left.deleted = false;
      this.#arrive(left, at);
      return left;
    }
    if (left !== undefined) {
      // It is touched again where it moved away: it has not, or not yet.
      this.#moveBack(left);
      return left;
    }
    const lineage: Lineage = { table, before: image, from: at, at, deleted: false, after: null };
    this.lineages.push(lineage);
    this.#living.set(here, lineage);
    return lineage;
  }

  #insert(table: number, at: string, after: string | null): void {
    const known = this.#living.get(place(table, at));
    if (known !== undefined && this.#replaced.has(known)) {
      known.deleted = true;
    } else if (known !== undefined && known.from === at) {
      // A trigger of the application touched the new row before its insertion was noted.
      known.before = null;
      known.from = null;
      return;
    } else if (known !== undefined) {
      this.#moveBack(known);
    }
    const made: Lineage = { table, before: null, from: null, at, deleted: false, after };
    this.lineages.push(made);
    this.#arrive(made, at);
  }

  #move(lineage: Lineage, to: string): void {
    const known = this.#living.get(place(lineage.table, to));
    // The place was free: who seemed to have moved there has not.
    if (known !== undefined && known !== lineage) this.#moveBack(known);
    this.#leave(lineage);
    this.#cameFrom.set(lineage, lineage.at);
    this.#arrive(lineage, to);
  }

  #moveIn(table: number, at: string): void {
    const waiting = this.#waiting.get(place(table, at));
    if (waiting === undefined) return;
    this.#waiting.delete(place(table, at));
    this.#move(waiting.lineage, waiting.to);
  }

  #moveBack(lineage: Lineage): void {
    const origin = this.#cameFrom.get(lineage);
    if (origin === undefined) return;
    this.#leave(lineage);
    this.#left.delete(place(lineage.table, lineage.at));
    this.#cameFrom.delete(lineage);
    this.#arrive(lineage, origin);
  }

  #arrive(lineage: Lineage, at: string): void {
    lineage.at = at;
    this.#left.delete(place(lineage.table, at));
    this.#living.set(place(lineage.table, at), lineage);
  }

  #leave(lineage: Lineage): void {
    const here = place(lineage.table, lineage.at);
    if (this.#living.get(here) === lineage) this.#living.delete(here);
    this.#left.set(here, lineage);
  }

  #hasLeft(table: number, at: string): boolean {
    return this.#left.has(place(table, at)) && !this.#living.has(place(table, at));
  }
}

function place(table: number, at: string): string {
  return `${table} ${at}`;
}

/**
 * Gives the rows of one table the images that stand in it now, and finds those that are where they were.
 * @param present by place; every place of every lineage that holds a row
 */
export function settleLineages(lineages: readonly Lineage[], present: ReadonlyMap<string, string>): void {
  const occupied = new Set(lineages.filter((lineage) => !lineage.deleted).map((lineage) => lineage.at));
  const stays = (lineage: Lineage, at: string): boolean => {
    if (!present.has(at) || occupied.has(at)) return false;
    if (!lineage.deleted) occupied.delete(lineage.at);
    occupied.add(at);
    lineage.deleted = false;
    lineage.at = at;
    return true;
  };
  // Nobody else stands where a row stood at first: it has not moved, or was not deleted. That may free another place.
  const isAway = ({ from, at, deleted }: Lineage): boolean => from !== null && (deleted || from !== at);
  while (lineages.some((lineage) => isAway(lineage) && stays(lineage, lineage.from ?? '')));
  for (const lineage of lineages) {
    if (lineage.deleted) stays(lineage, lineage.at);
    lineage.after = lineage.deleted ? null : (present.get(lineage.at) ?? null);
  }
}

/** In the order in which they can be told one after the other: a row leaves its place before another takes it. */
export function orderLineages(lineages: readonly Lineage[]): Lineage[] {
  const origins = new Map<string, Lineage>();
  for (const lineage of lineages) {
    if (lineage.from !== null) origins.set(place(lineage.table, lineage.from), lineage);
  }
  const ordered = new Set<Lineage>();
  for (const lineage of lineages) {
    const chain: Lineage[] = [];
    const seen = new Set<Lineage>();
    for (
      let next: Lineage | undefined = lineage;
      next !== undefined && !ordered.has(next) && !seen.has(next);
      next = next.deleted ? undefined : origins.get(place(next.table, next.at))
    ) {
      chain.push(next);
      seen.add(next);
    }
    for (const link of chain.reverse()) ordered.add(link);
  }
  return [...ordered];
}
