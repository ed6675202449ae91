import type { AuditEvent } from '@indelible/core';

/**
 * What a test says of an event: the fields that matter to it, each in part. Objects match where every member that is named
 * matches, arrays item by item, and `expect.any(String)` and its like wherever they stand. `undefined` means: not there.
 */
export type ExpectedEvent = { readonly [K in keyof AuditEvent]?: unknown };

/** True if the value is what the test says. */
export function matches(actual: unknown, expected: unknown): boolean {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(actual);
  // Stored values are JSON.
  if (expected instanceof Date) return actual === expected.toISOString();
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected);
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false;
    return expected.every((item, index) => matches(actual[index], item));
  }
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return false;
  return Object.entries(expected).every(([name, value]) =>
    matches(Object.hasOwn(actual, name) ? Reflect.get(actual, name) : undefined, value),
  );
}

/** How two lists belong together: which event is which expected one. */
export interface Pairing {
  /** Expected ones that nothing matches. */
  readonly missing: readonly number[];
  /** Events that nobody expected. */
  readonly surplus: readonly number[];
}

/** Pairs them one by one, in their order. */
export function pairInOrder(events: readonly AuditEvent[], expected: readonly ExpectedEvent[]): Pairing {
  const both = Math.max(events.length, expected.length);
  const wrong = Array.from({ length: both }, (_, at) => at).filter(
    (at) => at >= events.length || at >= expected.length || !matches(events[at], expected[at]),
  );
  return {
    missing: wrong.filter((at) => at < expected.length),
    surplus: wrong.filter((at) => at < events.length),
  };
}

/**
 * Pairs as many as can be, whatever their order. An event that matches several expected ones gives way to one that matches
 * fewer (augmenting paths), so that the order of the expected ones makes no difference either.
 */
export function pairInAnyOrder(events: readonly AuditEvent[], expected: readonly ExpectedEvent[]): Pairing {
  const taken = new Map<number, number>();
  const place = (want: number, tried: Set<number>): boolean =>
    events.some((event, at) => {
      if (tried.has(at) || !matches(event, expected[want])) return false;
      tried.add(at);
      const holder = taken.get(at);
      if (holder !== undefined && !place(holder, tried)) return false;
      taken.set(at, want);
      return true;
    });
  return {
    missing: expected.flatMap((_, want) => (place(want, new Set()) ? [] : [want])),
    surplus: events.flatMap((_, at) => (taken.has(at) ? [] : [at])),
  };
}

interface Asymmetric {
  asymmetricMatch(actual: unknown): boolean;
}

/** `expect.objectContaining(…)`, `expect.any(…)` and so on, of vitest and Jest. */
function isAsymmetric(value: unknown): value is Asymmetric {
  return (
    typeof value === 'object' &&
    value !== null &&
    'asymmetricMatch' in value &&
    typeof value.asymmetricMatch === 'function'
  );
}
