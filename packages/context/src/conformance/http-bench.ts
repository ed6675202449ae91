import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Audit,
  type AuditEvent,
  type AuditStore,
  createAudit,
  createMemoryStore,
  readBody,
} from '@indelible/core';
import type { RequestActor } from '../request-actor.js';
import type { HttpApp, HttpAppFactory, HttpPlan } from './http-app.js';

/** An application under test with its log. */
export interface Bench {
  readonly audit: Audit;
  readonly port: number;
  /** What was reported without a caller. */
  readonly errors: readonly Error[];
  /** Every event that is stored, oldest first. */
  events(): Promise<readonly AuditEvent[]>;
  /** Waits until so many events match, and asserts that it stays at that. */
  waitFor(count: number, matches?: (event: AuditEvent) => boolean): Promise<readonly AuditEvent[]>;
}

export type BenchPlan = Pick<HttpPlan, 'routes'> & Partial<Omit<HttpPlan, 'audit' | 'routes'>>;

/** Runs `fn` against a fresh application and log, and takes both down whatever happens. */
export async function withBench(
  factory: HttpAppFactory,
  plan: BenchPlan,
  fn: (bench: Bench) => Promise<void>,
): Promise<void> {
  const store = createMemoryStore();
  const errors: Error[] = [];
  const audit = createAudit({
    store,
    hmacKey: 'conformance-suite-secret-of-32-bytes-or-more',
    lifecycleEvents: false,
    onError: (error) => errors.push(error),
  });
  let app: HttpApp | undefined;
  try {
    app = await factory({
      options: { record: 'none' },
      authentication: 'after',
      authenticate: fromHeader,
      trustProxy: false,
      ...plan,
      audit,
    });
    await fn(createBench(audit, store, app.port, errors));
  } finally {
    await app?.close();
    await audit.close();
  }
}

function createBench(audit: Audit, store: AuditStore, port: number, errors: readonly Error[]): Bench {
  const events = async (): Promise<readonly AuditEvent[]> => {
    await audit.flush();
    // Read from the stored bytes: what counts is what is in the log.
    return (await store.list({ limit: 100_000 })).map((event) => readBody(event.body));
  };
  return {
    audit,
    port,
    errors,
    events,
    waitFor: async (count, matches = () => true) => {
      const deadline = Date.now() + 5_000;
      for (;;) {
        const found = (await events()).filter(matches);
        if (found.length >= count || Date.now() > deadline) {
          // One too many would come late.
          await sleep(50);
          const settled = (await events()).filter(matches);
          const actions = settled.map((event) => event.action).join(', ');
          assert.equal(
            settled.length,
            count,
            `expected ${count} events, found ${settled.length}: ${actions}`,
          );
          return settled;
        }
        await sleep(10);
      }
    },
  };
}

/** Who signs in is who the header `x-test-user` names; it takes a moment, as a session store does. */
export async function fromHeader(raw: IncomingMessage): Promise<RequestActor | undefined> {
  const name = raw.headers['x-test-user'];
  await sleep(Math.random() * 5);
  return typeof name === 'string' ? userNamed(name) : undefined;
}

export function userNamed(name: string): RequestActor & { readonly id: string } {
  return { id: name, email: `${name}@clinic.example`, role: 'doctor' };
}

/** The only element. */
export function only<T>(items: readonly T[]): T {
  const [item] = items;
  assert.equal(items.length, 1);
  assert.ok(item !== undefined);
  return item;
}
