import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventIdSet } from '../src/event-id-set.js';
import { eventId } from './make-event.js';

describe('the set of event ids', () => {
  it('finds each id at the index where it was first, also after it has grown', () => {
    const ids = new EventIdSet();
    for (let i = 0; i < 20_000; i++) expect(ids.add(eventId(i), i)).toBe(-1);
    for (let i = 0; i < 20_000; i += 7) expect(ids.add(eventId(i), 50_000)).toBe(i);
  });

  it('never misses a repeated id, whatever it looks like', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1 }), (values) => {
        const ids = new EventIdSet();
        values.forEach((id, index) => {
          expect(ids.add(id, index)).toBe(-1);
        });
        values.forEach((id, index) => {
          expect(ids.add(id, -1)).toBe(index);
        });
      }),
    );
  });

  it('keeps apart ids that differ in one character', () => {
    const ids = new EventIdSet();
    const id = eventId(1);
    expect(ids.add(id, 0)).toBe(-1);
    for (let at = 0; at < id.length; at++) {
      for (const other of ['g', 'h', 'i']) {
        expect(ids.add(id.slice(0, at) + other + id.slice(at + 1), 1)).toBe(-1);
      }
    }
  });
});
