import { describe, expect, it } from 'vitest';
import { createAudit } from '../src/create-audit.js';
import type { AuditEvent, JsonObject } from '../src/event.js';
import { deriveKeys } from '../src/keys.js';
import { createMemoryStore } from '../src/memory-store.js';
import { proveOperation, vouchFor } from '../src/operation.js';
import { openAudit } from './open-audit.js';

const SECRET = 'the secret of the operation tests, long enough';
const KEYS = deriveKeys(SECRET);
const ID = '0198c7a0-1234-7abc-8def-000000000000';

/** The event of a trigger that passes on what it was told. */
function eventOf(text: string): AuditEvent {
  const { actor, context, log, operation, mac } = JSON.parse(text);
  return { actor, context, log, details: { operation: { id: operation, mac } } } as unknown as AuditEvent;
}

describe('an operation', () => {
  it('is proven by its MAC, and forged with another actor, context, log, id, MAC or key', async () => {
    const { audit } = openAudit({ hmacKey: SECRET });
    const ambient = {
      actor: { type: 'user', id: 'ada' },
      tenant: 'north',
      status: 200,
      durationMs: 5,
    } as const;
    const { text, log } = await audit.describeOperation(ID, ambient);
    const event = eventOf(text);
    expect(log).toBe('audit/north');
    expect(event.context).toEqual({ tenant: 'north', transactionId: ID });
    expect(proveOperation(event, KEYS)).toBe('proven');
    const forgeries: readonly Partial<AuditEvent>[] = [
      { actor: { type: 'user', id: 'bo' } },
      { context: { ...event.context, ip: '10.0.0.1' } },
      { context: {} },
      { log: 'audit/south' },
      { details: { operation: { ...(event.details?.operation as JsonObject), id: ID.replace(/0$/, '1') } } },
      { details: { operation: { id: ID } } },
      { details: { operation: { id: ID, mac: 'AAAA' } } },
    ];
    for (const forgery of forgeries) {
      expect(proveOperation({ ...event, ...forgery }, KEYS), JSON.stringify(forgery)).toBe('forged');
    }
    expect(proveOperation(event, deriveKeys('another secret that is as long as the first one'))).toBe(
      'forged',
    );
    expect(proveOperation(event, undefined)).toBe('claimed');
    expect(proveOperation({ ...event, details: {} }, KEYS)).toBe('none');
    await audit.close();
  });

  it('is redacted as an event is, holds no NUL, and says that auditing is paused', async () => {
    const { audit } = openAudit({ hmacKey: SECRET });
    const { text } = await audit.describeOperation(ID, {
      actor: () => ({ type: 'user', id: 'a\0b\\u0000' }),
      userAgent: 'card 4111 1111 1111 1111',
      paused: true,
    });
    expect(text).not.toContain('4111');
    expect(JSON.parse(text)).toMatchObject({ actor: { id: 'a\ufffdb\\u0000' }, tag: 'audit-paused' });
    expect(proveOperation(eventOf(text), KEYS)).toBe('proven');
    await audit.close();
  });

  it('without a key carries no MAC', async () => {
    const audit = createAudit({ store: createMemoryStore(), lifecycleEvents: false, sealAfterMs: false });
    const { text } = await audit.describeOperation(ID, {});
    expect(JSON.parse(text)).toEqual({
      actor: { type: 'system', id: 'unknown' },
      context: { transactionId: ID },
      log: 'audit',
      operation: ID,
    });
    await audit.close();
  });

  it('has a MAC of its own for statements', () => {
    const mac = vouchFor(KEYS, { a: 1, b: [2] });
    expect(mac).toBe(vouchFor(KEYS, { b: [2], a: 1 }));
    expect(mac).not.toBe(vouchFor(KEYS, { a: 2, b: [2] }));
  });
});
