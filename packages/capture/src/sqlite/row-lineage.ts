import type { Capture } from './capture-triggers.js';

/** The fate of one row within one statement: where it stood and what it was, and where it stands now. */
export interface Lineage {
  readonly table: number;
  /** Null where the statement made the row. */
  before: string | null;
  /** The row's first place; null where the statement made it. */
  from: string | null;
  /** The row's last place that is certain. */
  at: string;
  /** Where an update sends it. Whether it got there shows later, or in what stands there in the end. */
  goesTo: string | null;
  /** Every place that it was made at or sent to. */
  readonly aims: string[];
  deleted: boolean;
  after: string | null;
}

/**
 * Folds the firings of one statement into one lineage a row. A row that a statement touches several times, through
 * cascades or triggers, is one change: from how it stood before to how it stands after.
 *
 * Updates and deletes are noted before they happen. What foreign keys and triggers do in between is noted in between, and
 * it may not happen at all: the statement says OR IGNORE, or a trigger of the application says RAISE(IGNORE).
 */
export function foldCaptures(captures: readonly Capture[]): Lineage[] {
  const fold = new Fold();
  for (const capture of captures) fold.add(capture);
  return fold.lineages;
}

/** A row on its way. */
interface Arrival {
  readonly lineage: Lineage;
  /** Where the row stood that must be gone first. */
  readonly blocker: string | null;
}

class Fold {
  readonly lineages: Lineage[] = [];
  readonly #living = new Map<string, Lineage>();
  /** The row that was last deleted at a place or moved away from it. */
  readonly #left = new Map<string, Lineage>();
  readonly #expected = new Map<string, Arrival>();
  readonly #cameFrom = new Map<Lineage, string>();
  readonly #replaced = new Set<Lineage>();

  add(capture: Capture): void {
    const { table, from, to, event } = capture;
    if (event === 'insert') {
      this.#insert(table, to, capture.after);
      return;
    }
    const lineage = this.#rowAt(table, from, capture.before);
    if (event === 'update') {
      lineage.after = capture.after;
      if (from !== to) this.#send(lineage, to, capture.taken);
      return;
    }
    if (event === 'replace') this.#replaced.add(lineage);
    lineage.deleted = true;
    this.#leave(lineage);
  }

  #rowAt(table: number, at: string, image: string | null): Lineage {
    const here = place(table, at);
    const known = this.#living.get(here) ?? this.#arrived(here);
    if (known !== undefined) return known;
    const left = this.#left.get(here);
    if (left !== undefined) {
      // It is touched again where it was deleted, or has moved away from: it was not, or has not.
      if (left.deleted) this.#arrive(left, at);
      else this.#moveBack(left);
      left.deleted = false;
      return left;
    }
    const lineage: Lineage = {
      table,
      before: image,
      from: at,
      at,
      goesTo: null,
      aims: [],
      deleted: false,
      after: null,
    };
    this.lineages.push(lineage);
    this.#living.set(here, lineage);
    return lineage;
  }

  /** @param taken where another row still stands that is in the way; null shows that the place is free */
  #send(lineage: Lineage, to: string, taken: string | null): void {
    const there = place(lineage.table, to);
    if (taken === null) {
      this.#cancel(there);
      const known = this.#living.get(there);
      if (known !== undefined && known !== lineage) this.#goAway(known);
    } else if (!this.#living.has(place(lineage.table, taken))) {
      this.#arrived(place(lineage.table, taken));
    }
    if (lineage.goesTo !== null) this.#expected.delete(place(lineage.table, lineage.goesTo));
    lineage.goesTo = to;
    lineage.aims.push(to);
    const blocker = taken === null ? null : place(lineage.table, taken);
    this.#expected.set(there, { lineage, blocker });
  }

  #insert(table: number, at: string, after: string | null): void {
    const here = place(table, at);
    this.#cancel(here);
    const known = this.#living.get(here);
    if (known !== undefined && this.#replaced.has(known)) {
      known.deleted = true;
    } else if (known?.goesTo === null && known.from === at) {
      // A trigger of the application touched the new row before its insertion was noted.
      known.before = null;
      known.from = null;
      return;
    } else if (known !== undefined) {
      this.#goAway(known);
    }
    const made: Lineage = {
      table,
      before: null,
      from: null,
      at,
      goesTo: null,
      aims: [at],
      deleted: false,
      after,
    };
    this.lineages.push(made);
    this.#arrive(made, at);
  }

  /** The row that was sent to a place, where it must be there by now. */
  #arrived(here: string): Lineage | undefined {
    const arrival = this.#expected.get(here);
    if (arrival === undefined) return undefined;
    const { lineage, blocker } = arrival;
    if (blocker !== null && (this.#living.has(blocker) || !this.#left.has(blocker))) return undefined;
    lineage.deleted = false;
    this.#goAway(lineage);
    return lineage;
  }

  /** The row is not where it was. */
  #goAway(lineage: Lineage): void {
    const { goesTo } = lineage;
    if (goesTo === null) {
      this.#moveBack(lineage);
      return;
    }
    this.#leave(lineage);
    this.#expected.delete(place(lineage.table, goesTo));
    this.#cameFrom.set(lineage, lineage.at);
    lineage.goesTo = null;
    this.#arrive(lineage, goesTo);
  }

  #cancel(there: string): void {
    const arrival = this.#expected.get(there);
    if (arrival === undefined) return;
    arrival.lineage.goesTo = null;
    this.#expected.delete(there);
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
}

function place(table: number, at: string): string {
  return `${table} ${at}`;
}

/**
 * Finds where the rows of one table stand in the end, and gives them their images.
 * @param present by place; every place of every lineage that holds a row
 */
export function settleLineages(lineages: readonly Lineage[], present: ReadonlyMap<string, string>): void {
  const holders = new Map<string, Lineage>();
  const claim = (lineage: Lineage, at: string | null): void => {
    if (at === null || !present.has(at) || holders.has(at) || isSettled.has(lineage)) return;
    holders.set(at, lineage);
    isSettled.add(lineage);
    lineage.at = at;
    lineage.deleted = false;
  };
  const isSettled = new Set<Lineage>();
  const aimed = new Map<string, Lineage | null>();
  for (const lineage of lineages) {
    for (const at of lineage.aims) aimed.set(at, (aimed.get(at) ?? lineage) === lineage ? lineage : null);
  }
  // A row that stands where one stood at first, and where no other was sent to, is that one.
  for (const lineage of lineages) {
    const other = lineage.from === null ? null : aimed.get(lineage.from);
    if (other === undefined || other === lineage) claim(lineage, lineage.from);
  }
  const alive = lineages.filter(({ deleted }) => !deleted);
  for (const lineage of alive) if (lineage.goesTo === null) claim(lineage, lineage.at);
  for (const lineage of alive) if (!present.has(lineage.at)) claim(lineage, lineage.goesTo);
  // Nobody else stands where it stood: it has not moved.
  for (const lineage of alive) claim(lineage, lineage.at);
  for (const lineage of alive) claim(lineage, lineage.goesTo);
  for (const lineage of alive) claim(lineage, lineage.from);
  for (const lineage of lineages) claim(lineage, lineage.goesTo);
  for (const lineage of lineages) claim(lineage, lineage.from);
  for (const lineage of lineages) claim(lineage, lineage.at);
  for (const lineage of lineages) {
    if (!isSettled.has(lineage)) lineage.deleted = true;
    lineage.after = lineage.deleted ? null : (present.get(lineage.at) ?? null);
  }
}
