import type { Verdict } from '@indelible/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText, safeJson } from '../src/escape-text.js';
import { renderEvent } from '../src/render-event.js';
import { renderTrail } from '../src/render-trail.js';
import { renderVerdict } from '../src/render-verdict.js';
import { listedEvent, patientUpdate } from './listed-event.js';

const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u009b31m\r\nVALID\u202egnp.exe\u2028\ud800';
// What steers a terminal or turns text around; \n is what the renderers themselves put between lines.
const STEERING = /(?!\n)[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]/u;

describe('the trail', () => {
  it('stands in aligned columns with one line a changed field', () => {
    const lines = renderTrail([
      listedEvent(patientUpdate(), { index: 9 }),
      listedEvent(patientUpdate({ action: 'x.y', outcome: 'denied', change: null }), { index: null }),
    ]).split('\n');
    expect(lines).toEqual([
      'INDEX    TIME (UTC)               ACTION           ACTOR     RESOURCE   OUTCOME',
      '9        2026-03-01 09:30:00.123  patient.updated  user:ada  Patient 7  success',
      '         phone: "555-1" → null',
      '         active: false → true',
      'pending  2026-03-01 09:30:00.123  x.y              user:ada  Patient 7  denied',
    ]);
  });

  it('shows what a create made and what a delete removed', () => {
    const created = { operation: 'create', after: { name: 'Ada' }, fidelity: 'exact' };
    const deleted = { operation: 'delete', before: { name: 'Ada' }, fidelity: 'exact' };
    expect(renderTrail([listedEvent(patientUpdate({ change: created }))])).toContain(
      '\n         name: "Ada"',
    );
    expect(renderTrail([listedEvent(patientUpdate({ change: deleted }))])).toContain(
      '\n         name: "Ada"',
    );
  });

  it('marks a change that could not be captured exactly', () => {
    const change = { operation: 'execute', fidelity: 'opaque' };
    expect(renderTrail([listedEvent(patientUpdate({ change }))])).toContain('captured opaque');
  });

  it('shows a redacted value as such, and text that looks like one in quotes', () => {
    const before = { password: { $indelible: 'masked' }, note: '‹masked›' };
    const change = {
      operation: 'update',
      before,
      after: before,
      fields: ['password', 'note'],
      fidelity: 'exact',
    };
    const trail = renderTrail([listedEvent(patientUpdate({ change }))]);
    expect(trail).toContain('password: ‹masked› → ‹masked›');
    expect(trail).toContain('note: "‹masked›"');
  });

  it('names the log only where the list has several', () => {
    const one = listedEvent(patientUpdate());
    expect(renderTrail([one])).not.toContain('LOG');
    expect(renderTrail([one, listedEvent(patientUpdate(), { index: 0, log: 'audit/acme' })])).toContain(
      'audit/acme',
    );
  });

  it('says on whose behalf somebody acted', () => {
    const actor = { type: 'user', id: 'grace', onBehalfOf: { type: 'user', id: 'ada' } };
    expect(renderTrail([listedEvent(patientUpdate({ actor }))])).toContain('user:grace for user:ada');
  });

  it('shows an unreadable body as such and goes on', () => {
    const trail = renderTrail([listedEvent('{"time":'), listedEvent('[1]'), listedEvent(patientUpdate())]);
    expect(trail.match(/unreadable body/g)).toHaveLength(2);
    expect(trail).toContain('patient.updated');
  });

  it('shows an event whose members have the wrong types', () => {
    const odd = {
      time: 1,
      action: {},
      actor: 'ada',
      resource: [1],
      outcome: null,
      change: { before: 3, fields: 'x' },
    };
    expect(renderTrail([listedEvent(odd)])).toContain('?');
    expect(renderEvent(listedEvent(odd))).toContain('leaf');
  });

  it('has no colour unless it is asked for', () => {
    const event = listedEvent(patientUpdate());
    expect(renderTrail([event])).not.toContain('\u001b');
    expect(renderTrail([event], { colour: true })).toContain('\u001b[32msuccess\u001b[39m');
  });
});

describe('one event', () => {
  it('shows its place, its body and its whole change', () => {
    const long = 'x'.repeat(500);
    const change = {
      operation: 'update',
      before: { note: 'a' },
      after: { note: long },
      fields: ['note'],
      fidelity: 'exact',
    };
    const text = renderEvent(
      listedEvent(patientUpdate({ change, reason: 'asked for', tags: ['t'] }), { index: 3 }),
    );
    for (const part of [
      'index',
      'asked for',
      'r-1',
      '2026-03-01T09:30:00.123456Z',
      `"a" → "${long}"`,
      '["t"]',
    ]) {
      expect(text).toContain(part);
    }
  });
});

describe('a verdict', () => {
  const verdict: Verdict = {
    result: 'invalid',
    log: 'audit',
    size: 12,
    root: new Uint8Array(32).fill(0xab),
    findings: [
      { code: 'AUDIT_BODY_MISMATCH', log: 'audit', index: 4, eventId: 'e-4', detail: 'the body was altered' },
      { code: 'AUDIT_HEAD_MISSING', log: 'audit', index: null, eventId: null, detail: 'no head' },
    ],
    truncated: true,
    notChecked: [{ what: 'rollback', detail: 'there is no anchor' }],
  };

  it('names the result, every finding and what was not checked', () => {
    expect(renderVerdict(verdict).split('\n')).toEqual([
      'INVALID  log audit, 12 entries',
      `  root  ${'ab'.repeat(32)}`,
      '  AUDIT_BODY_MISMATCH  index 4  the body was altered (event e-4)',
      '  AUDIT_HEAD_MISSING   –        no head',
      '  There are more findings than were listed.',
      '  not checked  rollback: there is no anchor',
    ]);
  });

  it('says how many findings it leaves out', () => {
    expect(renderVerdict(verdict, { maxFindings: 1 })).toContain('and 1 further finding');
  });

  it('escapes what a tampered event put into a finding', () => {
    const findings = [
      {
        ...verdict.findings[0],
        code: 'AUDIT_BODY_MISMATCH',
        log: HOSTILE,
        index: 1,
        eventId: HOSTILE,
        detail: HOSTILE,
      },
    ] as const;
    expect(renderVerdict({ ...verdict, log: HOSTILE, findings })).not.toMatch(STEERING);
  });
});

describe('text from events', () => {
  it('can not steer the terminal from any field', () => {
    const hostile = patientUpdate({
      time: HOSTILE,
      action: HOSTILE,
      outcome: HOSTILE,
      reason: HOSTILE,
      actor: { type: HOSTILE, id: HOSTILE, email: HOSTILE, role: HOSTILE },
      resource: { type: HOSTILE, id: HOSTILE },
      change: {
        operation: HOSTILE,
        before: { [HOSTILE]: HOSTILE },
        after: { [HOSTILE]: [HOSTILE] },
        fidelity: HOSTILE,
      },
      context: { [HOSTILE]: HOSTILE },
      details: { [HOSTILE]: { [HOSTILE]: HOSTILE } },
      tags: [HOSTILE],
    });
    const event = listedEvent(hostile, { index: 0, log: HOSTILE });
    expect(renderTrail([event, listedEvent(patientUpdate())])).not.toMatch(STEERING);
    expect(renderEvent(event)).not.toMatch(STEERING);
  });

  it('keeps a hostile event on its own lines', () => {
    const lines = renderTrail([
      listedEvent(patientUpdate({ change: null, action: 'a\nVALID  log audit' })),
    ]).split('\n');
    expect(lines).toHaveLength(2);
  });

  it('stays readable: letters of any script and emoji are left alone', () => {
    for (const text of ['Łódź', '患者', 'مريض', '👩‍⚕️']) expect(escapeText(text)).toBe(text);
  });

  it('never holds what steers, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(STEERING);
        expect(escapeText(text)).not.toContain('\n');
      }),
    );
  });

  it('comes back unchanged from safe JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(safeJson({ text })).not.toMatch(STEERING);
        expect(JSON.parse(safeJson({ text }))).toEqual({ text });
      }),
    );
  });
});
