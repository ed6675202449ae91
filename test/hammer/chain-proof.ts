/** One change of a row, as its event tells it. */
export interface Change {
  readonly id: string;
  readonly resourceId: string;
  readonly operation: string;
  readonly fidelity: string;
  readonly before: Readonly<Record<string, unknown>> | undefined;
  readonly after: Readonly<Record<string, unknown>> | undefined;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * Plays the events of each row, in the order of their ids, from the rows before to the rows after. Every change must begin
 * with what the one before it has left: so one that is missing, doubled, out of order or of a transaction that never
 * committed shows.
 *
 * @returns what does not fit, a line each
 */
export function proveChains(
  seeds: ReadonlyMap<string, Row>,
  changes: readonly Change[],
  rows: ReadonlyMap<string, Row>,
): readonly string[] {
  const problems: string[] = [];
  const states = new Map(seeds);
  for (const change of [...changes].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const state = states.get(change.resourceId);
    const where = `event ${change.id}, ${change.operation} of ${change.resourceId}`;
    if (change.fidelity !== 'exact') problems.push(`${where}: its fidelity is ${change.fidelity}`);
    if (change.operation === 'create') {
      if (state !== undefined) problems.push(`${where}: the row was there already`);
    } else if (state === undefined) {
      problems.push(`${where}: there was no such row`);
    }
    for (const [name, value] of Object.entries(change.before ?? {})) {
      if (state !== undefined && state[name] !== value) {
        problems.push(`${where}: ${name} was ${String(state[name])}, and the event says ${String(value)}`);
      }
    }
    if (change.operation === 'delete') states.delete(change.resourceId);
    else states.set(change.resourceId, { ...state, ...change.after });
  }
  for (const [id, row] of rows) {
    const state = states.get(id);
    if (state === undefined) problems.push(`row ${id}: it is there, and the events say that it is not`);
    for (const [name, value] of Object.entries(row)) {
      if (state !== undefined && state[name] !== value) {
        problems.push(
          `row ${id}: ${name} is ${String(value)}, and its last event left ${String(state[name])}`,
        );
      }
    }
  }
  for (const id of states.keys()) {
    if (!rows.has(id)) problems.push(`row ${id}: it is gone, and no event says so`);
  }
  return problems;
}
