/** One way of doing the work. */
export interface Contestant {
  readonly name: string;
  /** A small block of calls. @returns what one call took, in microseconds */
  readonly block: () => Promise<number>;
  /** What is left over from the block, so that it falls on nobody else. Not measured. */
  readonly rest?: () => Promise<void>;
}

/** The blocks of each contestant, in order: those of one position ran right behind each other. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/** Lets each run one block a round, in random order: what the machine does besides falls on all of them. */
export async function interleave(contestants: readonly Contestant[], rounds: number): Promise<Samples> {
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, block, rest } of shuffled(contestants)) {
      samples.get(name)?.push(await block());
      await rest?.();
    }
  }
  return samples;
}

export function samplesOf(samples: Samples, name: string): readonly number[] {
  const found = samples.get(name);
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  const left = [...items];
  const order: T[] = [];
  while (left.length > 0) order.push(...left.splice(Math.floor(Math.random() * left.length), 1));
  return order;
}
