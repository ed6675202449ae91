import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChild } from './run-child.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

const PATIENCE_MS = 300_000;
const MIB = 1_024;

let directory = '';
let smallKiB = 0;

/** The memory at its highest, in KiB, of a process that verifies a log of so many events and does nothing else. */
async function peakOf(events: number, bodyBytes = 0): Promise<number> {
  const file = join(directory, `${events}.db`);
  await startChild('verifier.mjs', ['fill', file, String(events), String(bodyBytes)]).done;
  const verifier = startChild('verifier.mjs', ['verify', file]);
  await verifier.done;
  const told = JSON.parse(verifier.lines[0] ?? '') as { result: string; size: number; peakKiB: number };
  expect(told).toMatchObject({ result: 'valid', size: events });
  expect(told.peakKiB).toBeGreaterThan(20 * MIB);
  return told.peakKiB;
}

beforeAll(async () => {
  directory = makeDirectory();
  // Past the first garbage collections: until then any process grows.
  smallKiB = await peakOf(20_000);
}, PATIENCE_MS);
afterAll(() => removeDirectory(directory));

// What is kept of each event, its fingerprint, takes 6 MiB here. Its body and columns would take more than 200.
test(
  'verifying 200,000 events takes less than 64 MiB more memory than verifying 20,000',
  async () => {
    expect(await peakOf(200_000)).toBeLessThan(smallKiB + 64 * MIB);
  },
  PATIENCE_MS,
);

// 500 of them, a page by the number of its rows, are 24 MiB, and several times that while the page is made.
test(
  'verifying events of 50,000 bytes takes less than 96 MiB more memory than verifying short ones',
  async () => {
    expect(await peakOf(3_000, 50_000)).toBeLessThan(smallKiB + 96 * MIB);
  },
  PATIENCE_MS,
);
