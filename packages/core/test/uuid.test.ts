import { afterEach, expect, test, vi } from 'vitest';
import { createUuidV7, isUuidV7, uuidTime } from '../src/uuid.js';

afterEach(() => {
  vi.restoreAllMocks();
});

test('an id is a UUIDv7 of now in lower case', () => {
  const before = Date.now();
  const id = createUuidV7();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(uuidTime(id).getTime()).toBeGreaterThanOrEqual(before);
  expect(uuidTime(id).getTime()).toBeLessThanOrEqual(Date.now() + 1);
});

test('a hundred thousand ids rise and none is there twice', () => {
  const ids = Array.from({ length: 100_000 }, () => createUuidV7());
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('ids rise while the clock is set back by an hour', () => {
  const before = createUuidV7();
  const real = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => real - 3_600_000);
  const ids = [before, ...Array.from({ length: 10_000 }, () => createUuidV7())];
  expect([...ids].sort()).toEqual(ids);
  vi.restoreAllMocks();
  expect(createUuidV7() > (ids.at(-1) ?? '')).toBe(true);
});

test('ids of one millisecond carry its fraction', () => {
  const fractions = new Set(Array.from({ length: 20_000 }, () => createUuidV7().slice(15, 18)));
  expect(fractions.size).toBeGreaterThan(100);
});

test('an id of a given time has that time, and ids of one time rise', () => {
  const time = new Date('2020-02-29T12:00:00.123Z');
  const ids = Array.from({ length: 1000 }, () => createUuidV7(time));
  expect(ids.every((id) => uuidTime(id).getTime() === time.getTime())).toBe(true);
  expect([...ids].sort()).toEqual(ids);
  expect(uuidTime(createUuidV7(new Date(2 ** 48 - 1))).getTime()).toBe(2 ** 48 - 1);
});

test('what is no date or no UUIDv7 is refused', () => {
  expect(() => createUuidV7(new Date(Number.NaN))).toThrow(TypeError);
  expect(() => createUuidV7(new Date(-1))).toThrow(TypeError);
  expect(() => uuidTime('550e8400-e29b-41d4-a716-446655440000')).toThrow(TypeError);
  expect(isUuidV7(createUuidV7().toUpperCase())).toBe(false);
  expect(isUuidV7('550e8400-e29b-41d4-a716-446655440000')).toBe(false);
  expect(isUuidV7(`${createUuidV7()}\n`)).toBe(false);
});
