import type { NameVerdict } from './field-names.js';

const MAX_NAMES = 5_000;
const MAX_LENGTH = 128;

/** What was decided about a field name: the verdict on its value, and the name itself without secrets. */
export interface KnownName {
  readonly verdict: NameVerdict;
  readonly key: string;
}

/** Remembers the names that were judged: a name costs a thousand times what a look-up costs. */
export function createNameMemory(
  judge: (name: string) => NameVerdict,
  redactKey: (name: string) => string,
): (name: string) => KnownName {
  const names = new Map<string, KnownName>();
  return (name) => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const fresh = { verdict: judge(name), key: redactKey(name) };
    if (name.length <= MAX_LENGTH) {
      // Hostile names must not fill the memory.
      if (names.size >= MAX_NAMES) names.clear();
      names.set(name, fresh);
    }
    return fresh;
  };
}
