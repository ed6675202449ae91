import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Audit,
  type AuditEvent,
  type AuditOptions,
  type AuditStore,
  createAudit,
  type EventInput,
  readBody,
} from '@indelible/core';
import { expect, onTestFinished, test } from 'vitest';

export const SECRET = 'the secret of the stories of outages';

/** A store and a way to make it fail and work again. */
export interface Outage {
  /** What the audit is given. */
  readonly store: AuditStore | string;
  readonly begin: () => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  /** The bodies of all stored events in the order of their ids, read past the store. */
  readonly bodies: () => Promise<readonly Uint8Array[]>;
  readonly dispose: () => Promise<void>;
}

export interface OutageSuiteOptions {
  /** Makes a store with its tables, which works. */
  readonly factory: () => Promise<Outage>;
  /** The codes that the failure may have. */
  readonly codes: readonly string[];
  /** True where the store can be read while it can not be written. @default false */
  readonly readable?: boolean;
  /** Bytes that each event has at least, so that it fits into no page that is there already. @default 0 */
  readonly eventBytes?: number;
}

const AT_MOST_MS = 10_000;

export interface OpenAudit {
  readonly audit: Audit;
  readonly errors: (Error & { code?: string })[];
  readonly spool: string;
}

/** An audit of its own over the store of the outage. */
export function openAudit(outage: Outage, options: AuditOptions = {}): OpenAudit {
  const errors: Error[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'indelible-outage-'));
  const spool = options.spool?.directory ?? join(directory, 'spool');
  const audit = createAudit({
    store: outage.store,
    storeTimeoutMs: 1_000,
    hmacKey: SECRET,
    lifecycleEvents: false,
    policy: { request: 'continue' },
    onError: (error) => errors.push(error),
    ...options,
    spool: { directory: spool, ...options.spool },
  });
  onTestFinished(async () => {
    await audit.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { audit, errors, spool };
}

export async function storedEvents(outage: Outage): Promise<AuditEvent[]> {
  return (await outage.bodies()).map(readBody);
}

/** What each policy does while a real store fails, and after it. */
export function outageSuite(options: OutageSuiteOptions): void {
  const { factory, codes, readable = false, eventBytes = 0 } = options;
  // Nothing can compress it.
  const details = { ballast: randomBytes(eventBytes / 2).toString('hex') };
  const CHANGE = { action: 'invoice.sent', category: 'data', details } as const;
  const LOGIN = { action: 'auth.login', category: 'auth', details } as const;
  const REQUEST = { action: 'request.completed', category: 'request', details } as const;
  const ready = async (): Promise<Outage> => {
    const outage = await factory();
    onTestFinished(outage.dispose);
    return outage;
  };
  const failing = { code: expect.toBeOneOf([...codes]) };

  test('strict: the operation fails in time with one code, and leaves nothing behind', async () => {
    const outage = await ready();
    const { audit } = openAudit(outage);
    const first = await audit.record(CHANGE);
    await outage.begin();
    const start = Date.now();
    await expect(audit.record(CHANGE)).rejects.toMatchObject(failing);
    await expect(audit.record(CHANGE)).rejects.toMatchObject(failing);
    expect(Date.now() - start).toBeLessThan(AT_MOST_MS);
    expect(audit.health()).toMatchObject({ ok: false, recorded: 1, spooled: 0, lost: 0 });
    await outage.end();
    const last = await untilStored(audit, CHANGE);
    await audit.flush();
    const ids = (await storedEvents(outage)).map(({ id }) => id);
    expect(ids[0]).toBe(first.id);
    expect(ids.at(-1)).toBe(last);
    expect(new Set(ids).size).toBe(ids.length);
    expect(audit.health()).toMatchObject({ ok: true, lost: 0 });
  });

  test('spool: events are safe in time, come back by themselves in order and once, and the log is valid', async () => {
    const outage = await ready();
    const { audit } = openAudit(outage);
    const told: string[] = [(await audit.record(LOGIN)).id];
    await outage.begin();
    const start = Date.now();
    for (let n = 0; n < 20; n += 1) {
      const { id, where } = await audit.record({ ...LOGIN, details: { ...details, n } });
      expect(where).toBe('spool');
      told.push(id);
    }
    expect(Date.now() - start).toBeLessThan(AT_MOST_MS);
    // What may be spooled does not wait until the store has failed for good.
    await expect.poll(() => audit.health().ok, { timeout: 10_000 }).toBe(false);
    expect(audit.health()).toMatchObject({ spooled: 20, lost: 0 });
    const { store } = await audit.checkHealth();
    expect(store).toMatchObject(readable ? { reachable: true } : { reachable: false, error: failing });
    await outage.end();
    await expect
      .poll(async () => (await storedEvents(outage)).length, { timeout: 20_000, interval: 100 })
      .toBe(21);
    expect((await storedEvents(outage)).map(({ id }) => id)).toEqual(told);
    await audit.flush();
    expect(audit.health()).toMatchObject({ ok: true, spooled: 0, pending: 0, lost: 0 });
    expect((await audit.checkHealth()).store).toMatchObject({ reachable: true, error: null, pending: 0 });
    expect((await audit.verify()).map(({ result, size }) => ({ result, size }))).toEqual([
      { result: 'valid', size: 21 },
    ]);
  });

  test('continue: the operation goes on, and the log gets the number that was lost', async () => {
    const outage = await ready();
    const { audit, errors } = openAudit(outage);
    await audit.record(REQUEST);
    await outage.begin();
    for (let n = 0; n < 3; n += 1) expect((await audit.record(REQUEST)).where).toBe('lost');
    expect(audit.health()).toMatchObject({ ok: false, recorded: 1, lost: 3 });
    expect(errors.map(({ code }) => code)).toContain('AUDIT_EVENT_LOST');
    await outage.end();
    await expect.poll(() => gapOf(outage), { timeout: 20_000, interval: 100 }).toBe(3);
  });

  test('a full spool refuses the caller, and what was lost is a gap', async () => {
    const outage = await ready();
    const { audit, errors } = openAudit(outage, { spool: { maxEvents: 5 } });
    await audit.record(LOGIN);
    await outage.begin();
    const outcomes = [];
    for (let n = 0; n < 7; n += 1) outcomes.push(await audit.record(LOGIN).catch((error: unknown) => error));
    expect(outcomes.slice(0, 5)).toMatchObject(Array(5).fill({ where: 'spool' }));
    expect(outcomes.slice(5)).toMatchObject(Array(2).fill({ code: 'AUDIT_SPOOL_FULL' }));
    expect(audit.health()).toMatchObject({ spooled: 5, lost: 2 });
    expect(errors.map(({ code }) => code)).toContain('AUDIT_EVENT_LOST');
    await outage.end();
    await expect.poll(() => gapOf(outage), { timeout: 20_000, interval: 100 }).toBe(2);
    const logins = (await storedEvents(outage)).filter(({ action }) => action === LOGIN.action);
    // One that the caller was refused may have arrived after all, where the store took it and did not say so.
    expect(logins.length).toBeGreaterThanOrEqual(6);
    expect(new Set(logins.map(({ id }) => id)).size).toBe(logins.length);
  });
}

/** How many events the log says that were lost: in one gap event, or in several where some were lost after the first was made. */
async function gapOf(outage: Outage): Promise<number> {
  const gaps = (await storedEvents(outage)).filter(({ action }) => action === 'audit.gap');
  return gaps.reduce((sum, { details }) => sum + Number(details?.lost), 0);
}

/** The id of the first change that is stored again. */
async function untilStored(audit: Audit, change: EventInput): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return (await audit.record(change)).id;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
