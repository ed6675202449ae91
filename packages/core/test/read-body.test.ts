import { describe, expect, it } from 'vitest';
import { canonicalize } from '../src/canonical-json.js';
import { deriveColumns } from '../src/columns.js';
import type { AuditEvent, JsonValue } from '../src/event.js';
import { readBody } from '../src/read-body.js';
import { makeEvent, TIME } from './make-event.js';

const FULL: AuditEvent = makeEvent(1, {
  actor: {
    type: 'user',
    id: '1',
    email: 'ada@example.com',
    role: 'admin',
    onBehalfOf: { type: 'api_key', id: 'k' },
  },
  reason: 'asked to',
  change: { operation: 'update', before: { a: 1 }, after: { a: 2 }, fields: ['a'], fidelity: 'exact' },
  context: {
    tenant: 't',
    ip: '::1',
    userAgent: 'u',
    requestId: 'r',
    sessionId: 's',
    correlationId: 'c',
    traceId: 'x',
    source: 'http',
    method: 'GET',
    route: '/',
    status: 200,
    durationMs: 1.5,
    transactionId: 'n',
  },
  details: { nested: [null, { deep: true }] },
  tags: ['a', 'b'],
});

function bodyWith(change: (event: Record<string, unknown>) => void): Buffer {
  const event = JSON.parse(JSON.stringify(FULL)) as Record<string, unknown>;
  change(event);
  return Buffer.from(canonicalize(event as { [key: string]: JsonValue }));
}

describe('reading a body', () => {
  it('gives the event with every member', () => {
    expect(readBody(bodyWith(() => {}))).toEqual(FULL);
  });

  it('needs no canonical form', () => {
    expect(readBody(Buffer.from(JSON.stringify(FULL, null, 2)))).toEqual(FULL);
  });

  it('keeps members that it does not know', () => {
    expect(readBody(bodyWith((event) => Object.assign(event, { later: 1 })))).toMatchObject({ later: 1 });
  });

  it.each([
    ['v', 2],
    ['id', ''],
    ['id', 7],
    ['log', null],
    ['time', 'yesterday'],
    ['time', '2025-02-30T99:00:00Z'],
    ['time', '2025-11-21T22:48:00+01:00'],
    ['action', ''],
    ['category', 'gossip'],
    ['outcome', true],
    ['salt', undefined],
    ['actor', undefined],
    ['actor', { type: 'ghost', id: '1' }],
    ['actor', { type: 'user', id: 1 }],
    ['actor', { type: 'user', id: '1', email: 1 }],
    ['actor', { type: 'user', id: '1', role: null }],
    ['actor', { type: 'user', id: '1', onBehalfOf: { type: 'user' } }],
    ['resource', { type: 'Patient' }],
    ['resource', null],
    ['reason', 1],
    ['context', undefined],
    ['context', []],
    ['context', { ip: 1 }],
    ['context', { status: '200' }],
    ['context', { durationMs: null }],
    ['change', { operation: 'guess', fidelity: 'exact' }],
    ['change', { operation: 'update', fidelity: 'perfect' }],
    ['change', { operation: 'update', fidelity: 'exact', before: [] }],
    ['change', { operation: 'update', fidelity: 'exact', after: 'x' }],
    ['change', { operation: 'update', fidelity: 'exact', fields: [1] }],
    ['details', []],
    ['tags', 'a'],
    ['tags', [1]],
  ])('refuses an event with a wrong %s: %j', (member, value) => {
    const body = bodyWith((event) => {
      if (value === undefined) delete event[member];
      else event[member] = value;
    });
    const refused = () => readBody(body);
    expect(refused).toThrow(expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }));
    expect(refused).toThrow(`no valid ${member}`);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no JSON', Buffer.from('{')],
    ['no object', Buffer.from('[1]')],
    ['null', Buffer.from('null')],
    [
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"v":"'), Uint8Array.of(0xff), Buffer.from('"}')]),
    ],
    ['a byte order mark', Buffer.from(`\ufeff${JSON.stringify(FULL)}`)],
  ])('refuses %s', (_, body) => {
    expect(() => readBody(body)).toThrow(expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }));
  });

  it('refuses bytes that are no UTF-8 inside of an event that is right but for them', () => {
    const body = bodyWith(() => {});
    body[body.indexOf('deep')] = 0xff;
    expect(() => readBody(body)).toThrow(expect.objectContaining({ code: 'AUDIT_EVENT_INVALID' }));
  });

  it('survives an endless chain of identities', () => {
    const chain = `${'{"id":"1","type":"user","onBehalfOf":'.repeat(50_000)}{"id":"1","type":"user"}${'}'.repeat(50_000)}`;
    const text = JSON.stringify({ ...FULL, actor: 0 }).replace('"actor":0', `"actor":${chain}`);
    expect(readBody(Buffer.from(text)).actor.id).toBe('1');
  });
});

describe('the columns', () => {
  it('are derived from the event', () => {
    expect(deriveColumns(FULL)).toEqual({
      time: TIME,
      action: 'patient.updated',
      category: 'data',
      outcome: 'success',
      actorType: 'user',
      actorId: '1',
      resourceType: 'Patient',
      resourceId: '1',
      tenant: 't',
      requestId: 'r',
      transactionId: 'n',
      ip: '::1',
    });
  });

  it('are null where the event says nothing', () => {
    const { resource, ...rest } = makeEvent(1, { context: {} });
    expect(resource).toBeDefined();
    const { resourceType, resourceId, tenant, requestId, transactionId, ip } = deriveColumns(rest);
    expect([resourceType, resourceId, tenant, requestId, transactionId, ip]).toEqual(Array(6).fill(null));
  });

  it('replace what a database can not keep as text', () => {
    const columns = deriveColumns(
      makeEvent(1, { actor: { type: 'user', id: 'a\0b' }, context: { tenant: '\ud800 😀' } }),
    );
    expect([columns.actorId, columns.tenant]).toEqual(['a\ufffdb', '\ufffd 😀']);
  });
});
