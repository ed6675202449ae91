import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEventTime } from '../src/event-time.js';

describe('the time of an event', () => {
  it('is what Date says, in any order of days', () => {
    const date = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(date, date, (one, other) => {
        for (const time of [one, other, one]) expect(parseEventTime(time.toISOString())).toBe(time.getTime());
        const nextHour = `${one.toISOString().slice(0, 10)}T01:02:03.004Z`;
        expect(parseEventTime(nextHour)).toBe(Date.parse(nextHour));
      }),
    );
  });

  it.each([
    ['2025-11-21T22:48:00Z', Date.parse('2025-11-21T22:48:00Z')],
    ['2025-11-21T22:48:00.123456Z', Date.parse('2025-11-21T22:48:00.123Z')],
    ['2025-11-21T24:00:00.000Z', Date.parse('2025-11-22T00:00:00Z')],
  ])('may be written as %s', (text, time) => {
    parseEventTime('2025-11-21T00:00:00.000Z');
    expect(parseEventTime(text)).toBe(time);
  });

  it.each([
    '',
    'yesterday',
    '2025-11-21',
    '2025-11-21T22:48:00.123+0',
    '2025-11-21T25:48:00.123Z',
    '2025-11-21T22:60:00.123Z',
    '2025-11-21T22:48:61.123Z',
    '2025-11-21 22:48:00.123Z',
    '2025-11-21T22:48:00,123Z',
    '2025-11-21T2a:48:00.123Z',
    '2025-11-21T22:48:00.12aZ',
    '2025-11-21T22:48:00.a23Z',
    '2025-11-21T22:48:00.123z',
    '2025-13-21T22:48:00.123Z',
  ])('is not %j', (text) => {
    parseEventTime('2025-11-21T00:00:00.000Z');
    expect(parseEventTime(text)).toBeNaN();
  });
});
