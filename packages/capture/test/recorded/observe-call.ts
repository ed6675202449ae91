import { isDeepStrictEqual } from 'node:util';
import {
  assertTells,
  type OrmHarness,
  type OrmHarnessOptions,
  type Snapshot,
} from '@indelible/capture/conformance';
import { type AuditEvent, auditErrorCode } from '@indelible/core';
import { type Observation, WEAKEST } from './observe.js';

/** One way in which the users of an ORM write rows. */
export interface OrmCall<H> {
  /** What it does, in words that hold for every ORM. */
  readonly does: string;
  /** What of the ORM does it, as its users call it. */
  readonly call: string;
  /** Rows that have to be there; what is recorded of them does not count. */
  readonly prepare?: (harness: H) => Promise<unknown>;
  /** Undefined where the database has no such thing. */
  readonly run: (harness: H) => Promise<unknown>;
  /** Databases that have it. @default all */
  readonly on?: readonly string[];
}

/** Where calls are observed. */
export interface OrmPlace<H extends OrmHarness, C extends OrmCall<H>> {
  /** A fresh database with what the call needs. */
  readonly create: (call: C, options: OrmHarnessOptions) => Promise<H>;
  /** Every table that the call may write, read with raw SQL. */
  readonly read: (harness: H, call: C) => Promise<Snapshot>;
}

/** @throws Error where something was lost without an event, was told wrong, or was not refused although it is not exact */
export async function observeCall<H extends OrmHarness, C extends OrmCall<H>>(
  call: C,
  place: OrmPlace<H, C>,
): Promise<Observation> {
  const seen = await withHarness(call, place, { strict: false }, async (harness) => {
    const known = (await harness.events()).length;
    const before = await place.read(harness, call);
    await call.run(harness);
    return judge((await harness.events()).slice(known), before, await place.read(harness, call));
  });
  const strict = await withHarness(call, place, { strict: true }, (harness) =>
    runStrict(harness, call, place),
  );
  if (seen.outcome !== 'exact' && strict === undefined) {
    throw new Error(`this is ${seen.outcome}, and strict lets it pass`);
  }
  return strict === undefined ? seen : { ...seen, strict };
}

function judge(events: readonly AuditEvent[], before: Snapshot, after: Snapshot): Observation {
  if (isDeepStrictEqual(before, after)) throw new Error('the call changes nothing, so it shows nothing');
  const changes = events.filter(({ change }) => change !== undefined);
  if (changes.length === 0) throw new Error('rows have changed and no event tells of it');
  const weakest = WEAKEST.find((fidelity) => changes.some(({ change }) => change?.fidelity === fidelity));
  if (weakest === undefined) {
    assertTells(changes, before, after);
    return { outcome: 'exact' };
  }
  const reasons = changes.flatMap(({ details }) =>
    typeof details?.reason === 'string' ? [details.reason] : [],
  );
  return {
    outcome: weakest,
    ...(changes.some(({ change }) => change?.fidelity === 'exact') ? { exactRows: 'some' } : {}),
    reason: [...new Set(reasons)].join('; '),
  };
}

/** @returns undefined where `strict` lets it pass */
async function runStrict<H extends OrmHarness, C extends OrmCall<H>>(
  harness: H,
  call: C,
  { read }: OrmPlace<H, C>,
): Promise<Observation['strict']> {
  const known = (await harness.events()).length;
  const before = await read(harness, call);
  try {
    await call.run(harness);
    return undefined;
  } catch (error) {
    if (codeOf(error) !== 'AUDIT_NOT_EXACT') throw error;
  }
  if (!isDeepStrictEqual(await read(harness, call), before)) {
    throw new Error('strict has refused this and something was written all the same');
  }
  if ((await harness.events()).length > known) throw new Error('strict has refused this, and it left events');
  return 'refused';
}

/** ORMs wrap what their driver throws. */
function codeOf(error: unknown): string | undefined {
  const { cause, driverError, parent } = Object(error) as Readonly<Record<string, unknown>>;
  return [error, driverError, parent, cause].map(auditErrorCode).find((code) => code !== undefined);
}

async function withHarness<H extends OrmHarness, C extends OrmCall<H>, T>(
  call: C,
  place: OrmPlace<H, C>,
  options: OrmHarnessOptions,
  work: (harness: H) => Promise<T>,
): Promise<T> {
  const harness = await place.create(call, options);
  try {
    // Beside the audit: what is prepared may be what `strict` would refuse.
    await harness.paused(async () => void (await call.prepare?.(harness)));
    return await work(harness);
  } finally {
    await harness.close();
  }
}
