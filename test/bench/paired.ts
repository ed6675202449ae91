/** One figure: how much of the baseline's work the subject costs or keeps, from pairs measured in one run. */
export interface Figure {
  readonly name: string;
  readonly baseline: string;
  /** Median of the ratios of the pairs. */
  readonly ratio: number;
  /** 95 % interval of that median, by bootstrap. */
  readonly low: number;
  readonly high: number;
  /** What was asked for: `<=` for a cost, `>=` for a rate. */
  readonly target?: { readonly sign: '<=' | '>='; readonly value: number };
  /** The medians of both sides, with their unit. */
  readonly subjectMedian: number;
  readonly baselineMedian: number;
  readonly unit: string;
  readonly pairs: number;
  readonly note?: string;
}

export interface PairedOptions {
  readonly name: string;
  readonly baseline: string;
  readonly pairs: number;
  readonly unit: string;
  readonly target?: Figure['target'];
  readonly note?: string;
  /** Each gives one measurement in `unit`. They alternate in order from pair to pair. */
  readonly measureSubject: () => Promise<number>;
  readonly measureBaseline: () => Promise<number>;
}

/** Measures pairs back to back, so that what the machine does besides falls on both sides. */
export async function paired(options: PairedOptions): Promise<Figure> {
  const subject: number[] = [];
  const baseline: number[] = [];
  for (let pair = 0; pair < options.pairs; pair += 1) {
    if (pair % 2 === 0) {
      baseline.push(await options.measureBaseline());
      subject.push(await options.measureSubject());
    } else {
      subject.push(await options.measureSubject());
      baseline.push(await options.measureBaseline());
    }
  }
  return compareSamples(options, subject, baseline);
}

/** The figure of measurements that were taken pair by pair. */
export function compareSamples(
  told: Pick<PairedOptions, 'name' | 'baseline' | 'unit' | 'target' | 'note'>,
  subject: readonly number[],
  baseline: readonly number[],
): Figure {
  const ratios = subject.map((value, pair) => value / (baseline[pair] ?? Number.NaN));
  const [low, high] = bootstrapMedian(ratios);
  return {
    name: told.name,
    baseline: told.baseline,
    ratio: median(ratios),
    low,
    high,
    ...(told.target === undefined ? {} : { target: told.target }),
    subjectMedian: median(subject),
    baselineMedian: median(baseline),
    unit: told.unit,
    pairs: subject.length,
    ...(told.note === undefined ? {} : { note: told.note }),
  };
}

/** Microseconds that one call takes, over `count` calls one after the other. */
export async function microsecondsEach(
  count: number,
  work: (index: number) => Promise<unknown>,
): Promise<number> {
  const start = performance.now();
  for (let index = 0; index < count; index += 1) await work(index);
  return ((performance.now() - start) * 1_000) / count;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

const RESAMPLES = 2_000;

function bootstrapMedian(values: readonly number[]): readonly [number, number] {
  const medians: number[] = [];
  for (let round = 0; round < RESAMPLES; round += 1) {
    medians.push(median(values.map(() => values[Math.floor(Math.random() * values.length)] ?? Number.NaN)));
  }
  medians.sort((left, right) => left - right);
  const at = (share: number): number => medians[Math.floor(share * (RESAMPLES - 1))] ?? Number.NaN;
  return [at(0.025), at(0.975)];
}

/** True, false, or undefined where no target was set. A target is met if the median meets it. */
export function meetsTarget({ ratio, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return target.sign === '<=' ? ratio <= target.value : ratio >= target.value;
}
