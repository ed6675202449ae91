import { UsageError } from './usage-error.js';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The options of one call, read with the form that each must have. */
export class OptionValues {
  constructor(private readonly values: Readonly<Record<string, unknown>>) {}

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    if (typeof value !== 'string') return undefined;
    if (value === '') throw new UsageError(`--${name} is empty`);
    return value;
  }

  /** Entries with commas between them. */
  list(name: string): readonly string[] | undefined {
    const entries = this.text(name)
      ?.split(',')
      .map((entry) => entry.trim());
    if (entries?.some((entry) => entry === '') === true) throw new UsageError(`--${name} has an empty entry`);
    return entries;
  }

  /** @param least the smallest number that is allowed */
  whole(name: string, least: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new UsageError(`--${name} takes a whole number from ${least} up, not '${text}'`);
    }
    return value;
  }

  /** `90s`, `24h`, `7d`, in milliseconds. */
  duration(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [, amount, unit = ''] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? [];
    const milliseconds = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
    if (!Number.isSafeInteger(milliseconds)) {
      throw new UsageError(`--${name} takes a duration such as 90s, 24h or 7d, not '${text}'`);
    }
    return milliseconds;
  }
}
