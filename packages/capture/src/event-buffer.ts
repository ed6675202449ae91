import {
  type AmbientContext,
  type Audit,
  createUuidV7,
  type EventInput,
  type PreparedEvent,
  uuidTime,
} from '@indelible/core';

interface BufferedEvent {
  readonly id: string;
  readonly input: EventInput;
  /** The caller was told the id. */
  readonly isJoined: boolean;
  readonly ambient: AmbientContext | undefined;
}

interface Placing {
  /** The caller is told the id. */
  readonly isJoined?: boolean;
  /** The time by the database's clock, in microseconds. */
  readonly at?: number | undefined;
}

/** What a UUIDv7 of ours tells apart, in microseconds. */
const SHORTEST_STEP = 0.25;

/**
 * The times of the rows of one database, which rise also where its clock was set back: of two changes of one row the later
 * one is added later.
 */
export class RowClock {
  #last = 0;

  /** @param at by the database, in microseconds */
  after(at: number): number {
    this.#last = at > this.#last ? at : this.#last + SHORTEST_STEP;
    return this.#last;
  }
}

/** The events of one transaction that are not written yet, and where its savepoints stand among them. */
export class EventBuffer {
  readonly #events: BufferedEvent[] = [];
  readonly #savepoints: { readonly name: string; readonly length: number }[] = [];

  constructor(
    private transactionId: string,
    private readonly clock: RowClock,
  ) {}

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  /** True if some ids were given by the application: such an event may be a retry. */
  get hasJoined(): boolean {
    return this.#events.some(({ isJoined }) => isJoined);
  }

  add(
    input: EventInput,
    ambient: AmbientContext | undefined,
    { isJoined = false, at }: Placing = {},
  ): string {
    const id =
      input.id ?? (at === undefined ? createUuidV7() : createUuidV7({ microseconds: this.clock.after(at) }));
    const time = input.time ?? (at === undefined ? uuidTime(id) : new Date(Math.floor(at / 1_000)));
    const context = { ...input.context, transactionId: this.transactionId };
    this.#events.push({ id, input: { ...input, time, context }, isJoined, ambient });
    return id;
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, length: this.#events.length });
  }

  release(name: string): void {
    const position = this.#find(name);
    if (position !== -1) this.#savepoints.length = position;
  }

  /** The savepoint itself stays, as in SQL. */
  rollbackTo(name: string): void {
    const position = this.#find(name);
    this.#events.length = this.#savepoints[position]?.length ?? 0;
    this.#savepoints.length = position + 1;
  }

  /** What is added from now on is of another transaction. */
  renew(transactionId: string): void {
    this.transactionId = transactionId;
  }

  clear(): void {
    this.#events.length = 0;
    this.#savepoints.length = 0;
  }

  /**
   * Makes the events' bytes, in order.
   * @param floor the greatest id that is committed, or null where there is none
   */
  async prepare(audit: Audit, floor: string | null): Promise<readonly PreparedEvent[]> {
    const ids = idsAbove(floor, this.#events);
    const prepared: PreparedEvent[] = [];
    for (let start = 0; start < this.#events.length; ) {
      const ambient = this.#events[start]?.ambient;
      let end = start + 1;
      while (end < this.#events.length && this.#events[end]?.ambient === ambient) end += 1;
      const inputs = this.#events.slice(start, end).map(({ input }, position) => {
        const id = ids[start + position];
        return id === undefined ? input : { ...input, id };
      });
      prepared.push(...(await audit.prepare(inputs, ambient)));
      start = end;
    }
    return prepared;
  }

  #find(name: string): number {
    return this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
  }
}

/** Ids that `createUuidV7` makes of one given millisecond before they would repeat. */
const IDS_A_MILLISECOND = 4_000;

/**
 * Ids of row changes must exceed those of other writers, whose clock may run ahead: the order of two changes of one row
 * is never reversed.
 */
function idsAbove(floor: string | null, events: readonly BufferedEvent[]): readonly string[] {
  if (floor === null || events.every(({ id, isJoined }) => isJoined || id > floor)) {
    return events.map(({ id }) => id);
  }
  const base = uuidTime(floor).getTime() + 1;
  return events.map(({ id, isJoined }, position) =>
    isJoined ? id : createUuidV7(new Date(base + Math.floor(position / IDS_A_MILLISECOND))),
  );
}
