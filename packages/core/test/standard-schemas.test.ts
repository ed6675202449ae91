import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createAudit, createMemoryStore, defineActions, readBody } from '../src/index.js';

/** What a user of each library writes: a format out of two, a number of copies that is 1 if it is left out, a trimmed note. */
const SCHEMAS = {
  zod: z.object({
    format: z.enum(['pdf', 'csv']),
    copies: z.number().int().default(1),
    note: z
      .string()
      .transform((text) => text.trim())
      .optional(),
  }),
  valibot: v.object({
    format: v.picklist(['pdf', 'csv']),
    copies: v.optional(v.pipe(v.number(), v.integer()), 1),
    note: v.optional(v.pipe(v.string(), v.trim())),
  }),
  arktype: type({
    format: "'pdf' | 'csv'",
    copies: 'number.integer = 1',
    'note?': 'string.trim',
  }),
};

const zodActions = defineActions({ 'invoice.exported': { category: 'billing', details: SCHEMAS.zod } });
const valibotActions = defineActions({
  'invoice.exported': { category: 'billing', details: SCHEMAS.valibot },
});
const arktypeActions = defineActions({
  'invoice.exported': { category: 'billing', details: SCHEMAS.arktype },
});

const OPTIONS = { hmacKey: 'x'.repeat(32), lifecycleEvents: false } as const;

describe.each([
  ['zod', zodActions],
  ['valibot', valibotActions],
  ['arktype', arktypeActions],
] as const)('a schema of %s', (_, actions) => {
  const open = () => {
    const store = createMemoryStore();
    // The three differ in type only; what they do is compared here.
    const audit = createAudit({ ...OPTIONS, store, actions: actions as typeof zodActions });
    const details = async () => (await store.list()).map(({ body }) => readBody(body).details);
    return { audit, details };
  };

  test('gives the details their defaults and transformations, and drops nothing that it allows', async () => {
    const { audit, details } = open();
    await audit.record('invoice.exported', { details: { format: 'pdf' } });
    await audit.record('invoice.exported', { details: { format: 'csv', copies: 2, note: '  twice ' } });
    expect(await details()).toEqual([
      { format: 'pdf', copies: 1 },
      { format: 'csv', copies: 2, note: 'twice' },
    ]);
    await audit.close();
  });

  test('refuses details that do not fit, names the field, and nothing is recorded', async () => {
    const { audit, details } = open();
    for (const [wrong, field] of [
      [{ format: 'doc' }, 'format'],
      [{ format: 'pdf', copies: 1.5 }, 'copies'],
      [{ format: 'pdf', note: 7 }, 'note'],
      [{}, 'format'],
    ] as const) {
      const attempt = audit.record({ action: 'invoice.exported', details: wrong });
      await expect(attempt).rejects.toMatchObject({
        code: 'AUDIT_DETAILS_INVALID',
        message: expect.stringContaining(field),
      });
    }
    await expect(audit.record({ action: 'invoice.exported' })).rejects.toMatchObject({
      code: 'AUDIT_DETAILS_INVALID',
    });
    expect(await details()).toEqual([]);
    await audit.close();
  });

  test('is asked for a wrapped secret too, which redaction then takes out', async () => {
    const { audit, details } = open();
    await audit.record('invoice.exported', {
      details: { format: 'pdf', note: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlX29mX3Rlc3Q' },
    });
    expect(JSON.stringify(await details())).not.toContain('eyJhbGciOiJIUzI1NiJ9');
    await audit.close();
  });
});

test('a schema that waits, as refinements that ask a database do, is waited for', async () => {
  const taken = new Set(['7']);
  const slow = z.object({
    number: z.string().refine(async (number) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return !taken.has(number);
    }, 'is taken'),
  });
  const slowValibot = v.objectAsync({
    number: v.pipeAsync(
      v.string(),
      v.checkAsync(async (number) => !taken.has(number), 'is taken'),
    ),
  });
  const actions = defineActions({
    'invoice.numbered': { category: 'billing', details: slow },
    'receipt.numbered': { category: 'billing', details: slowValibot },
  });
  const store = createMemoryStore();
  const audit = createAudit({ ...OPTIONS, store, actions });
  await audit.record('invoice.numbered', { details: { number: '8' } });
  await audit.record('receipt.numbered', { details: { number: '8' } });
  for (const action of ['invoice.numbered', 'receipt.numbered'] as const) {
    await expect(audit.record(action, { details: { number: '7' } })).rejects.toThrow(/number: is taken/);
  }
  expect(await store.list()).toHaveLength(2);
  await audit.close();
});

test('the details are typed as the schema takes them, not as it gives them', () => {
  const zodAudit = createAudit({ ...OPTIONS, store: createMemoryStore(), actions: zodActions });
  const valibotAudit = createAudit({ ...OPTIONS, store: createMemoryStore(), actions: valibotActions });
  const arktypeAudit = createAudit({ ...OPTIONS, store: createMemoryStore(), actions: arktypeActions });
  // Never called: what is checked is that each line compiles, or does not.
  const typesOnly = () => [
    zodAudit.record('invoice.exported', { details: { format: 'pdf' } }),
    valibotAudit.record('invoice.exported', { details: { format: 'pdf' } }),
    arktypeAudit.record('invoice.exported', { details: { format: 'pdf' } }),
    // @ts-expect-error no such format
    zodAudit.record('invoice.exported', { details: { format: 'doc' } }),
    // @ts-expect-error no such format
    valibotAudit.record('invoice.exported', { details: { format: 'doc' } }),
    // @ts-expect-error no such format
    arktypeAudit.record('invoice.exported', { details: { format: 'doc' } }),
    // @ts-expect-error copies are a number
    zodAudit.record('invoice.exported', { details: { format: 'pdf', copies: '1' } }),
    // @ts-expect-error copies are a number
    valibotAudit.record('invoice.exported', { details: { format: 'pdf', copies: '1' } }),
    // @ts-expect-error copies are a number
    arktypeAudit.record('invoice.exported', { details: { format: 'pdf', copies: '1' } }),
    // @ts-expect-error the schema takes details
    zodAudit.record('invoice.exported', {}),
  ];
  expect(typesOnly).toBeTypeOf('function');
});
