import { expect, test } from 'vitest';
import { makeEvents } from '../../sqlite/test/child/events.mjs';
import { PendingPositions } from '../src/pending-position.js';

const LOG = 'audit';
const EVERYTHING = { after: undefined, own: [] };
const ids = (from: number, to: number) => makeEvents(1, from, to).map(({ id }) => id);

test('while a look from the beginning is cheap, every look is one', () => {
  const positions = new PendingPositions();
  positions.sealed(LOG, ids(0, 10));
  positions.lookedFully(LOG, 500, 5, 0);
  expect(positions.nextLook(LOG, 1)).toEqual(EVERYTHING);
});

test('once it walks over dead rows, looks begin behind what was sealed, and now and then at the beginning', () => {
  const positions = new PendingPositions();
  positions.sealed(LOG, ids(0, 10));
  positions.lookedFully(LOG, 500, 40, 1_000);
  expect(positions.nextLook(LOG, 1_001)).toEqual({ after: ids(9, 10)[0], own: [] });
  expect(positions.nextLook(LOG, 3_001)).toEqual(EVERYTHING);
  // However long it takes, it comes once a minute.
  positions.lookedFully(LOG, 0, 30_000, 10_000);
  expect(positions.nextLook(LOG, 69_999).after).toBeDefined();
  expect(positions.nextLook(LOG, 70_000)).toEqual(EVERYTHING);
});

test('an event of this process is looked for by its id where others have been sealed past it', () => {
  const positions = new PendingPositions();
  positions.given(makeEvents(1, 3, 5));
  positions.sealed(LOG, ids(5, 10));
  positions.lookedFully(LOG, 0, 100, 0);
  expect(positions.nextLook(LOG, 1).own).toEqual(ids(3, 5));
  positions.sealed(LOG, ids(3, 4));
  expect(positions.nextLook(LOG, 1)).toEqual({ after: ids(9, 10)[0], own: ids(4, 5) });
});

test('each log has a position of its own', () => {
  const positions = new PendingPositions();
  positions.sealed(LOG, ids(0, 10));
  positions.lookedFully(LOG, 0, 100, 0);
  expect(positions.nextLook('audit/north', 1)).toEqual(EVERYTHING);
});

test('a log is idle once a seal has found nothing, until this process writes to it', () => {
  const positions = new PendingPositions();
  positions.sealed(LOG, ids(0, 1));
  expect(positions.isIdle(LOG)).toBe(false);
  positions.sealed(LOG, []);
  expect(positions.isIdle(LOG)).toBe(true);
  positions.given(makeEvents(1, 2, 3));
  expect(positions.isIdle(LOG)).toBe(false);
});

test('what it remembers is bounded', () => {
  const positions = new PendingPositions();
  for (let writer = 0; writer < 30; writer += 1) positions.given(makeEvents(writer, 0, 1_000));
  positions.sealed(LOG, ['ffffffff-ffff-7fff-bfff-ffffffffffff']);
  positions.lookedFully(LOG, 0, 100, 0);
  expect(positions.nextLook(LOG, 1).own).toHaveLength(20_000);
});
