import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Recorded } from '../src/audit.js';
import { BUILT_IN_ACTIONS } from '../src/built-in-actions.js';
import { defineActions } from '../src/catalogue.js';
import { CATEGORIES, type EventInput } from '../src/event.js';
import type { StandardSchema } from '../src/standard-schema.js';
import { createTypedRecord, type DefinitionsOf, type TypedRecord } from '../src/typed-record.js';
import { validateDetails } from '../src/validate-details.js';

interface Export {
  format: 'pdf' | 'csv';
}

const exportSchema: StandardSchema<Export, Export & { version: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const format = (value as { format?: unknown } | undefined)?.format;
      return format === 'pdf' || format === 'csv'
        ? { value: { format, version: 1 } }
        : { issues: [{ message: 'takes pdf or csv', path: ['format'] }] };
    },
  },
};

const actions = defineActions({
  'invoice.exported': { category: 'billing', details: exportSchema },
  'invoice.viewed': { category: 'access' },
});

describe('the catalogue', () => {
  test('has every action that the design names', () => {
    for (const verb of [
      'login login_failed logout password_reset password_reset_requested password_changed mfa_enabled mfa_disabled',
      'mfa_failed role_changed permission_granted permission_revoked account_created account_locked account_unlocked',
      'account_disabled account_deleted session_created session_expired session_revoked token_issued token_refreshed',
      'token_revoked api_key_created api_key_rotated api_key_revoked impersonation_started impersonation_ended',
      'consent_granted consent_revoked sso_login',
    ].flatMap((line) => line.split(' '))) {
      expect(actions.tryGet(`auth.${verb}`), verb).toBeDefined();
    }
    for (const category of CATEGORIES) {
      expect(Object.values(BUILT_IN_ACTIONS).some((action) => action.category === category)).toBe(true);
    }
    expect(actions.tryGet('invoice.viewed')).toEqual({ category: 'access' });
    expect(actions.tryGet('invoice.shredded')).toBeUndefined();
    expect(actions.tryGet('__proto__')).toBeUndefined();
  });

  test('refuses names and definitions of the wrong form', () => {
    expect(() => defineActions({ exported: { category: 'data' } })).toThrow(TypeError);
    expect(() => defineActions({ 'Invoice.Exported': { category: 'data' } })).toThrow(TypeError);
    // @ts-expect-error no such category
    expect(() => defineActions({ 'invoice.exported': { category: 'money' } })).toThrow(TypeError);
    // @ts-expect-error no Standard Schema
    expect(() => defineActions({ 'invoice.exported': { category: 'data', details: {} } })).toThrow(TypeError);
  });
});

describe('details', () => {
  const input: EventInput = { action: 'invoice.exported', details: { format: 'pdf' } };

  test('are replaced by what the schema returns', () => {
    expect(validateDetails(actions, input)).toEqual({ ...input, details: { format: 'pdf', version: 1 } });
    expect(validateDetails(actions, { action: 'invoice.viewed' })).toEqual({ action: 'invoice.viewed' });
  });

  test('that do not fit are refused with the issues', () => {
    expect(() => validateDetails(actions, { ...input, details: { format: 'doc' } })).toThrow(
      expect.objectContaining({
        code: 'AUDIT_DETAILS_INVALID',
        message: expect.stringContaining('format: takes pdf or csv'),
      }),
    );
  });

  test('are checked by an asynchronous schema too, and by one that throws or rejects', async () => {
    const schema = (validate: StandardSchema['~standard']['validate']): StandardSchema => ({
      '~standard': { version: 1, vendor: 'test', validate },
    });
    const catalogue = defineActions({
      'a.slow': { category: 'data', details: schema(async () => ({ value: { fine: true } })) },
      'a.wrong': { category: 'data', details: schema(async () => ({ issues: [{ message: 'no' }] })) },
      'a.rejecting': { category: 'data', details: schema(() => Promise.reject(new Error('down'))) },
      'a.list': { category: 'data', details: schema(() => ({ value: [1] })) },
      'a.throwing': {
        category: 'data',
        details: schema(() => {
          throw new Error('down');
        }),
      },
    });
    expect(await validateDetails(catalogue, { action: 'a.slow' })).toEqual({
      action: 'a.slow',
      details: { fine: true },
    });
    const refused = expect.objectContaining({ code: 'AUDIT_DETAILS_INVALID' });
    await expect(validateDetails(catalogue, { action: 'a.wrong' })).rejects.toEqual(refused);
    await expect(validateDetails(catalogue, { action: 'a.rejecting' })).rejects.toEqual(refused);
    expect(() => validateDetails(catalogue, { action: 'a.list' })).toThrow(refused);
    expect(() => validateDetails(catalogue, { action: 'a.throwing' })).toThrow(refused);
  });
});

describe('the typed record', () => {
  const seen: EventInput[] = [];
  const record = createTypedRecord<typeof actions>(async (input) => {
    seen.push(input);
    return { id: 'x', where: 'store' };
  });

  test('passes the action and the event on', async () => {
    await record('invoice.exported', { details: { format: 'csv' }, reason: 'month end' });
    await record('invoice.viewed');
    await record({ action: 'some.other' });
    expect(seen).toEqual([
      { action: 'invoice.exported', details: { format: 'csv' }, reason: 'month end' },
      { action: 'invoice.viewed' },
      { action: 'some.other' },
    ]);
  });

  test('takes the details of the schema and no others', () => {
    expectTypeOf(record('auth.login')).resolves.toEqualTypeOf<Recorded>();
    expectTypeOf(record).toEqualTypeOf<TypedRecord<DefinitionsOf<typeof actions>>>();
    // Never called: what is checked is that each line compiles, or does not.
    const _typesOnly = () => [
      record('invoice.exported', { details: { format: 'pdf' } }),
      record('auth.login', { details: { anything: 1 } }),
      // @ts-expect-error no such format
      record('invoice.exported', { details: { format: 'doc' } }),
      // @ts-expect-error the schema takes details
      record('invoice.exported', {}),
      // @ts-expect-error the schema takes details
      record('invoice.exported'),
      // @ts-expect-error not in the catalogue
      record('invoice.shredded', {}),
      // @ts-expect-error the catalogue says the category
      record('invoice.viewed', { category: 'data' }),
    ];
    expect(_typesOnly).toBeTypeOf('function');
  });
});
