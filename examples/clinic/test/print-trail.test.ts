import type { AuditEvent, Change } from '@indelible/core';
import { describe, expect, it } from 'vitest';
import { createPaint } from '../src/day/paint.js';
import { printTrail, WIDTH } from '../src/day/print-trail.js';

const plain = createPaint(false, {});
const coloured = createPaint(true, {});

function entry(parts: Partial<AuditEvent>, index = 0) {
  const event: AuditEvent = {
    v: 1,
    id: '019aa000-0000-7000-8000-000000000000',
    log: 'audit',
    time: '2026-01-31T09:30:00.123Z',
    action: 'patient.updated',
    category: 'data',
    actor: { type: 'user', id: '2', email: 'ada@clinic.example', role: 'doctor' },
    resource: { type: 'Patient', id: '1' },
    outcome: 'success',
    context: {},
    salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...parts,
  };
  return { index, event };
}

function print(change: Change): string {
  return printTrail([entry({ change })], [], plain).join('\n');
}

describe('the trail on the terminal', () => {
  it('shows each field of an update from and to', () => {
    const text = print({
      operation: 'update',
      before: { status: 'booked', room: null },
      after: { status: 'arrived', room: '2' },
      fields: ['status', 'room'],
      fidelity: 'exact',
    });
    expect(text).toMatch(/0 {2}09:30:00 +ada, doctor +patient\.updated +Patient 1 +ok/);
    expect(text).toContain('~ status  "booked" → "arrived"');
    expect(text).toContain('~ room  null → "2"');
  });

  it('says what was not captured exactly', () => {
    expect(print({ operation: 'execute', fidelity: 'opaque' })).toContain('! opaque');
    expect(print({ operation: 'update', after: { a: 1 }, fidelity: 'after-only' })).toContain('! after-only');
  });

  it('shows that a value is masked', () => {
    const after = { passwordHash: { $indelible: 'masked' } };
    expect(print({ operation: 'create', after, fidelity: 'exact' })).toContain('passwordHash ‹masked›');
  });

  it('lets no text of an event steer the terminal', () => {
    const hostile = 'x\x1b[2J\u009b2J\u202e\n';
    const lines = printTrail(
      [
        entry({
          action: hostile,
          reason: hostile,
          actor: { type: 'user', id: hostile, email: hostile, role: hostile },
          resource: { type: hostile, id: hostile },
          change: { operation: 'create', after: { [hostile]: hostile }, fidelity: 'exact' },
          details: { [hostile]: hostile },
        }),
      ],
      [],
      plain,
    );
    expect(lines.filter((line) => /[\p{Cc}\p{Cf}]/u.test(line))).toEqual([]);
  });

  it('keeps to its width, however long the values are', () => {
    const long = 'x'.repeat(300);
    const lines = printTrail(
      [
        entry({
          action: long,
          actor: { type: 'user', id: long },
          resource: { type: long, id: long },
          change: { operation: 'update', before: { [long]: long }, after: { [long]: 1 }, fidelity: 'exact' },
          details: { [long]: long, more: long },
        }),
      ],
      [],
      plain,
    );
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([]);
  });

  it('keeps the events of a request together, wherever they are in the log', () => {
    const at = (requestId: string | undefined, index: number) =>
      entry({ context: requestId === undefined ? {} : { requestId } }, index);
    const lines = printTrail(
      [at(undefined, 0), at('a', 1), at('b', 2), at('a', 3), at(undefined, 4), at(undefined, 5)],
      [],
      plain,
    );
    const order = lines.map((line) => /^ +(\d+) {2}/.exec(line)?.[1]).filter((index) => index !== undefined);
    expect(order).toEqual(['0', '1', '3', '2', '4', '5']);
  });

  it('is coloured in a terminal only, and not where NO_COLOR is set', () => {
    expect(coloured('red', 'denied')).not.toBe('denied');
    expect(plain('red', 'denied')).toBe('denied');
    expect(createPaint(true, { NO_COLOR: '1' })('red', 'denied')).toBe('denied');
    expect(createPaint(true, { TERM: 'dumb' })('red', 'denied')).toBe('denied');
  });
});
