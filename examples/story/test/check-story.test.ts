import type { AuditEvent } from '@indelible/core';
import { describe, expect, it } from 'vitest';
import { checkStory, type Evidence } from '../src/check-story.js';
import { tellEvent } from '../src/tell-event.js';

const event = (action: string, parts: Partial<AuditEvent> = {}): AuditEvent => ({
  v: 1,
  id: '019aa000-0000-7000-8000-000000000000',
  log: 'audit',
  time: '2026-01-31T09:30:00.123Z',
  action,
  category: 'data',
  actor: { type: 'user', id: 'mira' },
  outcome: 'success',
  context: { requestId: 'r1' },
  salt: 'AAAAAAAAAAAAAAAAAAAAAA==',
  ...parts,
});

const created = event('book.created', {
  resource: { type: 'Book', id: '1' },
  change: { operation: 'create', after: { id: 1, title: 'Dune' }, fidelity: 'exact' },
});
const asked = event('request.completed', { context: { requestId: 'r1', status: 201 } });
const verdict = {
  result: 'valid' as const,
  log: 'audit',
  size: 2,
  root: new Uint8Array(32),
  findings: [],
  truncated: false,
  notChecked: [],
};

function failures(changes: { readonly log?: readonly AuditEvent[]; readonly more?: Partial<Evidence> } = {}) {
  const log = changes.log ?? [created, asked];
  const scene = {
    title: 'Mira adds a book',
    act: async () => ({ id: 'r1' }),
    status: 201,
    events: ['mira · book.created · Book 1 · + id 1, title "Dune"', 'mira · request.completed · 201'],
  };
  const events = log.filter(({ context }) => context.requestId === 'r1');
  const played = [{ scene, outcome: { id: 'r1', status: 201 }, events }];
  return checkStory({ played, log, verdicts: [verdict], secrets: ['hush'], ...changes.more }).failures;
}

describe('the checks of a story', () => {
  it('have nothing to say where all is as it should be', () => {
    expect(failures()).toEqual([]);
  });

  it('notice an event that is missing, one too many, and two that changed places', () => {
    expect(failures({ log: [created] }).join()).toContain('has recorded');
    expect(failures({ log: [created, asked, asked] }).join()).toContain('has recorded');
    expect(failures({ log: [asked, created] }).join()).toContain('has recorded');
  });

  it('notice an event that belongs to nothing that was done', () => {
    const stray = event('book.deleted', { context: {} });
    expect(failures({ log: [created, asked, stray] })).toEqual(['nobody did this: mira · book.deleted']);
  });

  it('notice a wrong value, a wrong actor and an event that is not exact', () => {
    const wrong: readonly AuditEvent[] = [
      event('book.created', { ...created, actor: { type: 'user', id: 'tom' } }),
      event('book.created', {
        ...created,
        change: { operation: 'create', after: { id: 1, title: 'Emma' }, fidelity: 'exact' },
      }),
      event('book.created', {
        ...created,
        change: { operation: 'create', after: { id: 1, title: 'Dune' }, fidelity: 'after-only' },
      }),
    ];
    for (const one of wrong) expect(failures({ log: [one, asked] })).toHaveLength(1);
  });

  it('notice another status, a secret, and a log that is not valid or was not verified', () => {
    const [scene] = [{ title: 'x', act: async () => ({ id: 'r1' }), status: 201, events: [] }];
    const played = [{ scene, outcome: { id: 'r1', status: 500 }, events: [] }];
    expect(failures({ log: [], more: { played } })).toEqual(['"x" answered 500, not 201']);
    const leak = event('request.completed', {
      context: { requestId: 'r1', status: 201 },
      details: { a: 'hush' },
    });
    expect(failures({ log: [created, leak] })).toEqual(['the log holds the secret hush']);
    expect(failures({ more: { verdicts: [{ ...verdict, result: 'invalid' }] } })).toEqual([
      'the log "audit" is invalid',
    ]);
    expect(failures({ more: { verdicts: [] } })).toEqual(['no log was verified']);
    expect(failures({ more: { played: [] } })).toContain('nothing was played');
  });

  it('tell a change from and to, with what is masked and what is a time', () => {
    const change = {
      operation: 'update' as const,
      before: { b: null, a: { $indelible: 'masked' } },
      after: { b: '2026-01-31T09:30:00.123Z', a: { $indelible: 'masked' } },
      fields: ['b', 'a'],
      fidelity: 'exact' as const,
    };
    expect(tellEvent(event('x.updated', { change }))).toBe(
      'mira · x.updated · a ‹masked› → ‹masked›, b null → ‹time›',
    );
  });
});
