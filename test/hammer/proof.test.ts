import { describe, expect, it } from 'vitest';
import { type Change, proveChains, type Row } from './chain-proof.js';
import { Promises } from './promises.js';

const row = (balance: number, note: string): Row => ({ id: 'a', balance, note });
const seeds = new Map([['a', row(100, 'seed')]]);
const update = (id: string, before: Row, after: Row): Change => ({
  id,
  resourceId: 'a',
  operation: 'update',
  fidelity: 'exact',
  before,
  after,
});
const first = update('1', row(100, 'seed'), row(101, 'one'));
const second = update('2', row(101, 'one'), row(102, 'two'));

describe('the proof of the hammer', () => {
  it('is content where the events lead from the first state to the last', () => {
    expect(proveChains(seeds, [second, first], new Map([['a', row(102, 'two')]]))).toEqual([]);
  });

  it('sees a change without its event, in the middle and at the end', () => {
    expect(proveChains(seeds, [second], new Map([['a', row(102, 'two')]]))).not.toEqual([]);
    expect(proveChains(seeds, [first], new Map([['a', row(102, 'two')]]))).not.toEqual([]);
  });

  it('sees an event without its change, a doubled one and a reversed order', () => {
    const rows = new Map([['a', row(101, 'one')]]);
    expect(proveChains(seeds, [first, second], rows)).not.toEqual([]);
    expect(proveChains(seeds, [first, { ...first, id: '3' }], rows)).not.toEqual([]);
    const reversed = [
      { ...first, id: '2' },
      { ...second, id: '1' },
    ];
    expect(proveChains(seeds, reversed, new Map([['a', row(102, 'two')]]))).not.toEqual([]);
  });

  it('sees rows that came or went without an event, and events that are less than exact', () => {
    expect(proveChains(seeds, [], new Map())).not.toEqual([]);
    expect(proveChains(new Map(), [], seeds)).not.toEqual([]);
    const blurred = [{ ...first, fidelity: 'opaque' }];
    expect(proveChains(seeds, blurred, new Map([['a', row(101, 'one')]]))).not.toEqual([]);
  });

  it('holds processes to what they were promised', () => {
    const promises = new Promises();
    promises.read('{"kind":"done","operation":"one","rows":1}');
    promises.read('{"kind":"undone","operation":"never"}');
    promises.read('{"kind":"recorded","id":"e1","where":"store"}');
    promises.read('{"kind":"done","opera');
    expect(promises.prove([first], ['e1'])).toEqual([]);
    expect(promises.prove([], ['e1'])).not.toEqual([]);
    expect(promises.prove([first, { ...first, id: '2' }], ['e1'])).not.toEqual([]);
    expect(promises.prove([first], [])).not.toEqual([]);
    expect(promises.prove([first], ['e1', 'e1'])).not.toEqual([]);
    const undone = update('9', row(101, 'one'), row(0, 'never'));
    expect(promises.prove([first, undone], ['e1'])).not.toEqual([]);
  });
});
