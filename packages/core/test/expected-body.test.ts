import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../src/canonical-json.js';
import { deriveColumns } from '../src/columns.js';
import { CATEGORIES, FIDELITIES, type JsonObject, OUTCOMES } from '../src/event.js';
import { isExpectedBody } from '../src/expected-body.js';
import { FindingList } from '../src/finding-list.js';
import { hashLeaf } from '../src/leaf.js';
import { OPERATIONS, readBody } from '../src/read-body.js';
import type { StoredEvent } from '../src/store.js';
import { inspectBody } from '../src/verify-event.js';
import { makeEvent, prepare } from './make-event.js';

const text = fc.string({ unit: fc.constantFrom(...'ab"\\/\n{}[],:1.- ') });
const ascii = fc.string({ unit: fc.constantFrom(...'abcXYZ019:.- _/'), minLength: 1 });
const optional = (arbitrary: fc.Arbitrary<unknown>) => fc.option(arbitrary, { nil: undefined });
const members = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<JsonObject>;

/** Events with every member there may be, in canonical bytes. */
const event = fc
  .record({
    id: ascii,
    action: ascii,
    category: fc.constantFrom(...CATEGORIES),
    outcome: fc.constantFrom(...OUTCOMES),
    actor: fc.record({
      type: fc.constantFrom('user', 'service', 'system', 'api_key', 'anonymous'),
      id: ascii,
      email: optional(text),
      role: optional(text),
    }),
    resource: optional(fc.record({ type: ascii, id: ascii })),
    reason: optional(text),
    change: optional(
      fc.record({
        operation: fc.constantFrom(...OPERATIONS),
        before: optional(members),
        after: optional(members),
        fields: optional(fc.array(text)),
        fidelity: fc.constantFrom(...FIDELITIES),
      }),
    ),
    context: fc.record({
      ...Object.fromEntries(
        ['tenant', 'ip', 'requestId', 'transactionId'].map((name) => [name, optional(ascii)]),
      ),
      ...Object.fromEntries(
        ['userAgent', 'sessionId', 'route', 'source'].map((name) => [name, optional(text)]),
      ),
      status: optional(fc.nat(599)),
      durationMs: optional(fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 })),
    }),
    details: optional(members),
    tags: optional(fc.array(text)),
  })
  .map((parts) => ({ ...makeEvent(1), ...parts }));

function storedAs(body: Uint8Array, columns: StoredEvent['columns'], id: string): StoredEvent {
  return { id, log: 'audit', body, leaf: hashLeaf(body), columns };
}

/** What the parser has to say, which has the last word. */
function findings(stored: StoredEvent, id: string) {
  const list = new FindingList('audit', 10, new Set());
  inspectBody(stored, 'audit', 0, id, list);
  return list.sorted();
}

describe('a body that is found as expected without being parsed', () => {
  it('is any that core writes in ASCII', () => {
    fc.assert(
      fc.property(event, (made) => {
        const body = Buffer.from(canonicalize(JSON.parse(JSON.stringify(made))));
        const parsed = readBody(body);
        const stored = storedAs(body, deriveColumns(parsed), parsed.id);
        expect(findings(stored, parsed.id)).toEqual([]);
        // Escapes by number and what is not ASCII are left to the parser.
        const unescaped = body.toString().replaceAll('\\\\', '');
        const plain = /^[\x20-\x7f]*$/.test(unescaped) && !unescaped.includes('\\u');
        expect(isExpectedBody(stored, 'audit', parsed.id)).toBe(plain);
      }),
      { numRuns: 300 },
    );
  });

  it('is one that the parser has nothing against, whatever was done to bytes, columns and row', () => {
    let accepted = 0;
    const edit = fc.record({
      at: fc.nat(),
      cut: fc.nat(3),
      put: fc.string({ unit: fc.constantFrom(...'ab"\\,:{}[]019-.eE+ \n\0ü'), maxLength: 3 }),
    });
    const column = fc.constantFrom(
      ...(Object.keys(prepare(makeEvent(1)).columns) as (keyof StoredEvent['columns'])[]),
    );
    const lie = fc.option(fc.record({ column, value: fc.option(ascii) }), { freq: 2 });
    fc.assert(
      fc.property(
        event,
        edit,
        lie,
        fc.constantFrom('audit', 'audit', 'audit', 'other'),
        (made, { at, cut, put }, lying, log) => {
          const original = Buffer.from(canonicalize(JSON.parse(JSON.stringify(made))));
          const place = at % original.length;
          const body = Buffer.concat([
            original.subarray(0, place),
            Buffer.from(put),
            original.subarray(place + cut),
          ]);
          const columns = { ...deriveColumns(readBody(original)) };
          if (lying !== null) Object.assign(columns, { [lying.column]: lying.value });
          const stored = { ...storedAs(body, columns, made.id), log };
          if (!isExpectedBody(stored, 'audit', made.id)) return;
          accepted++;
          expect(findings(stored, made.id)).toEqual([]);
        },
      ),
      { numRuns: 3_000 },
    );
    // Edits of nothing, or inside of details: the property is not empty.
    expect(accepted).toBeGreaterThan(50);
  });

  it('is none of another row', () => {
    const { body, columns, id } = prepare(makeEvent(1));
    expect(isExpectedBody(storedAs(body, columns, id), 'audit', id)).toBe(true);
    expect(isExpectedBody(storedAs(body, columns, 'other'), 'audit', id)).toBe(false);
    expect(isExpectedBody(storedAs(body, columns, id), 'audit', 'other')).toBe(false);
    expect(isExpectedBody(storedAs(body, columns, id), 'other', id)).toBe(false);
    expect(isExpectedBody({ ...storedAs(body, columns, id), log: 'other' }, 'audit', id)).toBe(false);
  });

  it('is none whose members stand twice, in another order or at another depth', () => {
    const { body, columns, id } = prepare(makeEvent(1));
    const text = Buffer.from(body).toString();
    const expected = (edited: string) =>
      isExpectedBody(storedAs(Buffer.from(edited), columns, id), 'audit', id);
    expect(expected(text)).toBe(true);
    for (const edited of [
      text.replace('{"action"', '{"action":"other","action"'),
      text.replace('"v":1}', '"v":1,"v":1}'),
      text.replace('"v":1}', '"v":1} '),
      text.replace('"v":1}', '"v":2}'),
      text.replace('"v":1}', '"v":1,"z":{}}'),
      text.replace('"outcome":"success"', '"outcome":"success","outcome":"success"'),
      text.replace('"salt":"AAECAwQFBgcICQoLDA0ODw=="', '"salt":""'),
      text.replace('"context":{', '"context":{"ip":"::1",'),
      text.replace('"requestId":"r-1"', '"requestId":"r-1","requestId":"r-1"'),
      text.replace('"requestId":"r-1",', ''),
      text.replace('"source":"http"', '"source":"http","spare":1'),
      text.replace('"type":"user"', '"type":"user","z":1'),
      text.slice(0, -1),
      '',
    ]) {
      expect(edited).not.toBe(text);
      expect(expected(edited)).toBe(false);
    }
  });

  it('is none that is nested without end', () => {
    const { columns, id } = prepare(makeEvent(1));
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const body = canonicalize(JSON.parse(JSON.stringify(makeEvent(1, { details: { x: 0 } })))).replace(
      '"x":0',
      `"x":${nested}`,
    );
    expect(isExpectedBody(storedAs(Buffer.from(body), columns, id), 'audit', id)).toBe(false);
  });
});
