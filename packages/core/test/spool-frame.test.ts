import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../src/crc32.js';
import { decodeFrames, encodeFrame } from '../src/spool-frame.js';

const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 });

function texts(found: readonly Uint8Array[]): string[] {
  return found.map((payload) => Buffer.from(payload).toString('hex'));
}

test('the checksum is the one of gzip', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => crc32(bytes) === zlibCrc32(bytes)));
});

test('records come back as they were written', () => {
  fc.assert(
    fc.property(payloads, (written) => {
      const read = decodeFrames(Buffer.concat(written.map(encodeFrame)));
      expect(texts(read.payloads)).toEqual(texts(written));
      expect(read).toMatchObject({ damaged: 0, torn: false });
    }),
  );
});

test('a record that is cut short at any byte is seen, and those before it are kept', () => {
  const whole = [Uint8Array.of(1, 2, 3), new TextEncoder().encode('{"a":1}'), new Uint8Array(0)];
  const bytes = Buffer.concat(whole.map(encodeFrame));
  const ends = [0, 15, 34, 46];
  expect(bytes.length).toBe(46);
  for (let cut = 0; cut < bytes.length; cut += 1) {
    const read = decodeFrames(bytes.subarray(0, cut));
    const kept = ends.filter((end) => end > 0 && end <= cut).length;
    expect(texts(read.payloads)).toEqual(texts(whole.slice(0, kept)));
    expect(read.torn).toBe(!ends.includes(cut));
  }
});

test('a flipped bit costs one record and not those behind it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 4, maxLength: 40 }), { minLength: 3, maxLength: 6 }),
      fc.nat(),
      fc.nat({ max: 7 }),
      (written, place, bit) => {
        const frames = written.map(encodeFrame);
        const victim = frames[1];
        if (victim === undefined) return;
        const at = place % victim.length;
        victim[at] = (victim[at] ?? 0) ^ (1 << bit);
        const read = decodeFrames(Buffer.concat(frames));
        expect(texts(read.payloads)).toEqual(texts([...written.slice(0, 1), ...written.slice(2)]));
        expect(read.damaged).toBe(1);
        expect(read.torn).toBe(false);
      },
    ),
  );
});
