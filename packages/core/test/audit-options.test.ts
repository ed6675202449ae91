import { describe, expect, test } from 'vitest';
import type { AuditOptions } from '../src/audit.js';
import { readAuditSettings } from '../src/audit-settings.js';
import { createAudit } from '../src/create-audit.js';
import { createMemoryStore } from '../src/memory-store.js';
import { KEY, openAudit, storedEvents } from './open-audit.js';

const WRONG: readonly (readonly [option: string, options: Readonly<Record<string, unknown>>])[] = [
  ['hmackey', { hmackey: KEY }],
  ['store', { store: 7 }],
  ['store', { store: {} }],
  ['store', { store: '' }],
  ['hmacKey', { hmacKey: 7 }],
  ['origin', { origin: 'a b' }],
  ['origin', { origin: '/a' }],
  ['origin', { origin: 'a//b' }],
  ['origin', { origin: '' }],
  ['origin', { origin: 'a\n' }],
  ['keyedFrom', { keyedFrom: -1 }],
  ['keyedFrom.audit/north', { keyedFrom: { 'audit/north': 1.5 } }],
  ['keyedFrom', { keyedFrom: [1] }],
  ['policy', { policy: 'strict' }],
  ['policy.auth', { policy: { auth: 'ignore' } }],
  ['policy.logins', { policy: { logins: 'spool' } }],
  ['spool', { spool: './spool' }],
  ['spool.directory', { spool: { directory: '' } }],
  ['spool.maxBytes', { spool: { maxBytes: -1 } }],
  ['spool.maxEvents', { spool: { maxEvents: 1.5 } }],
  ['spool.path', { spool: { path: './spool' } }],
  ['maxBuffered', { maxBuffered: 0 }],
  ['maxBuffered', { maxBuffered: '10' }],
  ['storeTimeoutMs', { storeTimeoutMs: 1.5 }],
  ['storeTimeoutMs', { storeTimeoutMs: Number.NaN }],
  ['sealAfterMs', { sealAfterMs: true }],
  ['sealAfterMs', { sealAfterMs: -1 }],
  ['sealing', { sealing: 'elsewhere' }],
  ['sealAfterMs', { sealing: 'external', sealAfterMs: 50 }],
  ['maxLogs', { maxLogs: -1 }],
  ['relay', { relay: true }],
  ['drainTimeoutMs', { drainTimeoutMs: -1 }],
  ['maxEventBytes', { maxEventBytes: 10 }],
  ['maxBinaryBytes', { maxBinaryBytes: Number.POSITIVE_INFINITY }],
  ['onMissingActor', { onMissingActor: 'ignore' }],
  ['onError', { onError: 'log' }],
  ['lifecycleEvents', { lifecycleEvents: 'yes' }],
  ['actions', { actions: { 'a.b': { category: 'data' } } }],
];

describe('the options of an audit', () => {
  for (const [option, options] of WRONG) {
    test(`an error names \`${option}\` for ${JSON.stringify(options)}`, () => {
      expect(() => createAudit(options as AuditOptions)).toThrow(
        expect.objectContaining({
          code: 'AUDIT_CONFIG_INVALID',
          message: expect.stringContaining(`\`${option}\``),
        }),
      );
    });
  }

  test('a short secret is refused, and the error does not hold it', () => {
    const secret = 'correct horse';
    const read = () => createAudit({ hmacKey: secret });
    expect(read).toThrow(expect.objectContaining({ code: 'AUDIT_KEY_WEAK' }));
    expect(read).not.toThrow(secret);
  });

  test('what the caller changes later changes nothing', async () => {
    const policy: { data: 'strict' | 'spool' } = { data: 'strict' };
    const { audit } = openAudit({ store: createMemoryStore(), policy });
    policy.data = 'spool';
    expect(audit.policy('data')).toBe('strict');
  });

  test('the settings can not be changed', () => {
    const settings = readAuditSettings({ policy: { auth: 'strict' } }, {});
    for (const part of [settings, settings.policies, settings.prepare])
      expect(Object.isFrozen(part)).toBe(true);
  });

  test('an option comes before the environment, and an empty variable is none', () => {
    const environment = { AUDIT_DATABASE_URL: 'file:./a.db', AUDIT_HMAC_KEY: KEY };
    expect(readAuditSettings({}, environment)).toMatchObject({ store: 'file:./a.db' });
    expect(readAuditSettings({}, environment).keys).toBeDefined();
    expect(readAuditSettings({ store: 'file:./b.db' }, environment).store).toBe('file:./b.db');
    const empty = readAuditSettings({}, { AUDIT_DATABASE_URL: '', AUDIT_HMAC_KEY: '' });
    expect(empty.store).toBeUndefined();
    expect(empty.keys).toBeUndefined();
  });

  test('the bytes of the log do not hold the secret or what was redacted', async () => {
    const store = createMemoryStore();
    const { audit } = openAudit({ store });
    await audit.record({
      action: 'auth.login',
      details: { password: 'hunter2', nested: [{ apiKey: 'k-1234' }] },
    });
    const text = JSON.stringify(await storedEvents(store));
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('k-1234');
    expect(text).not.toContain(KEY);
  });
});
