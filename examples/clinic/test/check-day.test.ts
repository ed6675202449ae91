import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditEvent } from '@indelible/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDay, type Evidence } from '../src/day/check-day.js';
import { collectEvidence } from '../src/day/collect-evidence.js';
import type { Row, TrailEntry } from '../src/day/read-trail.js';

let folder: string;
let evidence: Evidence;

beforeAll(async () => {
  // Where the packages of the application are.
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  process.env.AUDIT_HMAC_KEY = randomBytes(48).toString('base64');
  folder = mkdtempSync(join(tmpdir(), 'check-day-'));
  evidence = await collectEvidence(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Why the checks would not let this evidence pass. */
function failures(changed: Partial<Evidence>): readonly string[] {
  return checkDay({ ...evidence, ...changed }).flatMap((check) => check.failures);
}

/** The trail with one event made otherwise, or taken out. */
function altered(
  isTarget: (event: AuditEvent) => boolean,
  alter: (event: AuditEvent) => AuditEvent | null,
): Partial<Evidence> {
  const { entries } = evidence.trail;
  const position = entries.findIndex(({ event }) => isTarget(event));
  const target = entries[position];
  if (target === undefined) throw new Error('the day has no such event');
  const event = alter(target.event);
  const replacement: readonly TrailEntry[] = event === null ? [] : [{ ...target, event }];
  return {
    trail: {
      ...evidence.trail,
      entries: [...entries.slice(0, position), ...replacement, ...entries.slice(position + 1)],
    },
  };
}

describe('the checks of the day', () => {
  it('let the day pass as it was', () => {
    expect(failures({})).toEqual([]);
  });

  it('notice each single event that is missing', () => {
    const { entries } = evidence.trail;
    const unnoticed = entries
      .filter(
        ({ event }) =>
          failures(
            altered(
              (one) => one.id === event.id,
              () => null,
            ),
          ).length === 0,
      )
      .map(({ event }) => event.action);
    expect(unnoticed).toEqual([]);
  });

  it('notice an event too many', () => {
    const { entries } = evidence.trail;
    const again = entries.filter(({ event }) => event.action === 'patient.updated');
    expect(failures({ trail: { ...evidence.trail, entries: [...entries, ...again] } })).not.toEqual([]);
  });

  it('notice another actor', () => {
    const changed = altered(
      ({ action }) => action === 'prescription.created',
      (event) => ({ ...event, actor: { ...event.actor, id: '3' } }),
    );
    expect(failures(changed).join()).toContain('prescription.created is by user 3');
  });

  it('notice another value before or after', () => {
    const changed = altered(
      ({ action, resource }) => action === 'drug.updated' && resource?.id === '2',
      (event) => (event.change ? { ...event, change: { ...event.change, before: { stock: 61 } } } : event),
    );
    expect(failures(changed).join()).toContain('no drug.updated of 2 with stock 60 → 40');
  });

  it('notice a change that is not exact', () => {
    const changed = altered(
      ({ change }) => change !== undefined,
      (event) => (event.change ? { ...event, change: { ...event.change, fidelity: 'opaque' } } : event),
    );
    expect(failures(changed).join()).toContain('opaque');
  });

  it('notice an event of the transaction that was rolled back', () => {
    const changed = altered(
      ({ action }) => action === 'prescription_item.created',
      (event) => (event.change ? { ...event, change: { ...event.change, after: { tablets: 5000 } } } : event),
    );
    expect(failures(changed).join()).toContain('rolled-back');
  });

  it('notice a change that left its transaction', () => {
    const changed = altered(
      ({ action }) => action === 'drug.updated',
      (event) => ({ ...event, context: { ...event.context, transactionId: 'another' } }),
    );
    expect(failures(changed).join()).toContain('2 transaction ids');
  });

  it('notice an answer that is not that of the script', () => {
    const played = evidence.played.map((scene) =>
      scene.scene.status === 403 ? { ...scene, answer: { ...scene.answer, status: 201 } } : scene,
    );
    expect(failures({ played }).join()).toContain('answered 201, not 403');
  });

  it('notice a row, a missing row and a value that no event accounts for', () => {
    const { initial, final } = evidence.tables;
    const [payment] = final.payment ?? [];
    const withPayments = (...rows: Row[]) =>
      failures({ tables: { initial, final: { ...final, payment: rows } } });
    expect(withPayments({ ...payment }, { ...payment, id: 2 }).join()).toBe(
      'payment 2 is in its table and not in the trail',
    );
    expect(withPayments()).toEqual(['payment 1 is in the trail and not in its table']);
    expect(withPayments({ ...payment, amount: 45 })).toEqual([
      'payment 1: amount is 45, and 45.5 by the trail',
    ]);
    const [contact] = final.patient ?? [];
    const changed = {
      ...contact,
      contact: '{"phone":"555 0173","city":"London"}',
      born_on: '1952-06-24T00:00:00.000+00:00',
    };
    const patient = [changed, ...(final.patient ?? []).slice(1)];
    expect(failures({ tables: { initial, final: { ...final, patient } } })).toHaveLength(2);
  });

  it('notice a secret on disk and an event that is not sealed', () => {
    expect(failures({ leaks: [{ secret: 'the card number', file: 'clinic.db-wal' }] })).toEqual([
      'the card number is in clinic.db-wal',
    ]);
    expect(failures({ trail: { ...evidence.trail, pending: 1 } })).toEqual(['1 events are not sealed']);
  });

  it('notice a log that is not valid, has no key, or is another one', () => {
    const verdicts = evidence.verdicts.map((verdict) => ({ ...verdict, result: 'incomplete' as const }));
    expect(failures({ verdicts }).join()).toContain('incomplete');
    expect(failures({ verdicts: [] }).join()).toContain('0 entries were verified');
    const unkeyed = evidence.verdicts.map((verdict) => ({
      ...verdict,
      notChecked: [{ what: 'unkeyed' as const, detail: '' }],
    }));
    expect(failures({ verdicts: unkeyed }).join()).toContain('no key');
  });

  it('notice a forgery that verification lets through, or finds elsewhere', () => {
    for (const position of evidence.forged.keys()) {
      const unfound = evidence.forged.map((one, index) =>
        index === position ? { ...one, verdicts: evidence.verdicts } : one,
      );
      expect(failures({ forged: unfound })).toHaveLength(1);
      const elsewhere = evidence.forged.map((one, index) =>
        index === position
          ? {
              ...one,
              verdicts: one.verdicts.map((verdict) => ({
                ...verdict,
                findings: verdict.findings.map((finding) => ({ ...finding, index: 0 })),
              })),
            }
          : one,
      );
      expect(failures({ forged: elsewhere })).toHaveLength(1);
    }
    expect(failures({ forged: evidence.forged.slice(1) })).toEqual(['3 forgeries were tried, not 4']);
  });
});
