import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../src/byte-reader.js';
import { parsePolicy } from '../src/policy.js';
import { verifyBundle } from '../src/verify-bundle.js';
import { verifyFile } from '../src/verify-file.js';
import {
  bundleOf,
  checkpointOf,
  entriesOf,
  eventsOf,
  gzip,
  type Member,
  makeKey,
  tarOf,
} from './evidence.js';
import { codes, temporaryDirectory, verified } from './verified.js';

const LOG = 'audit/north';
const KEY = makeKey(LOG);
const POLICY = `log ${KEY.vkey}\n`;
const TRUST = parsePolicy(POLICY);
const BODIES = eventsOf(LOG, 4);
const CHECKPOINT = checkpointOf(LOG, BODIES, KEY);
const GOOD = bundleOf(CHECKPOINT, entriesOf(BODIES, 2));
const TAR = tarOf(GOOD);

const [version, checkpoint, first, second] = GOOD as [Member, Member, Member, Member];
const without = (member: Member) => GOOD.filter((other) => other !== member);
const changed = (member: Member, change: Partial<Member>) =>
  GOOD.map((other) => (other === member ? { ...other, ...change } : other));

describe('a hostile bundle', () => {
  it('is one of these only because something was done to it', async () => {
    expect((await verified(TAR, POLICY)).result).toBe('valid');
  });

  it.each<[string, Uint8Array, string]>([
    [
      'a name that leads out of a directory',
      tarOf(changed(first, { name: '../../etc/passwd' })),
      'BUNDLE_MEMBER_UNKNOWN',
    ],
    [
      'an absolute name',
      tarOf(changed(first, { name: '/entries/000000000000.ndjson' })),
      'BUNDLE_MEMBER_UNKNOWN',
    ],
    [
      'a name with ./ before it',
      tarOf(changed(version, { name: './indelible-bundle' })),
      'BUNDLE_MEMBER_UNKNOWN',
    ],
    ['a file twice', tarOf([version, checkpoint, first, first, second]), 'BUNDLE_MEMBER_UNKNOWN'],
    ['two checkpoints', tarOf([version, checkpoint, checkpoint, first, second]), 'BUNDLE_MEMBER_UNKNOWN'],
    ['files in another order', tarOf([version, checkpoint, second, first]), 'BUNDLE_MEMBER_UNKNOWN'],
    ['the checkpoint at the end', tarOf([version, first, second, checkpoint]), 'BUNDLE_MEMBER_UNKNOWN'],
    ['no version', tarOf(without(version)), 'BUNDLE_MEMBER_UNKNOWN'],
    ['no checkpoint', tarOf(without(checkpoint)), 'BUNDLE_MEMBER_UNKNOWN'],
    ['nothing', tarOf([]), 'BUNDLE_TRUNCATED'],
    ['the version alone', tarOf([version]), 'BUNDLE_TRUNCATED'],
    ['a file missing', tarOf(without(first)), 'BUNDLE_MEMBER_UNKNOWN'],
    ['its last file missing', tarOf(without(second)), 'AUDIT_ENTRY_MISSING'],
    ['another file', tarOf([...GOOD, { name: 'policy.txt', content: POLICY }]), 'BUNDLE_MEMBER_UNKNOWN'],
    [
      'a file without entries',
      tarOf([...GOOD, { name: 'entries/000000000004.ndjson', content: '' }]),
      'BUNDLE_MEMBER_UNKNOWN',
    ],
    ['a newer version', tarOf(changed(version, { content: 'indelible-bundle/2\n' })), 'BUNDLE_VERSION'],
    [
      'a version that goes on',
      tarOf(changed(version, { content: 'indelible-bundle/1\n\n' })),
      'BUNDLE_VERSION',
    ],
    [
      'a version of a megabyte',
      tarOf(changed(version, { content: 'x'.repeat(1 << 20) })),
      'BUNDLE_MEMBER_LARGE',
    ],
    [
      'a checkpoint of two megabytes',
      tarOf(changed(checkpoint, { content: 'x'.repeat(2 << 20) })),
      'BUNDLE_MEMBER_LARGE',
    ],
    ['a hard link', tarOf(changed(first, { set: { 156: '1', 157: 'checkpoint' } })), 'BUNDLE_MEMBER_KIND'],
    [
      'a symbolic link',
      tarOf(changed(first, { set: { 156: '2', 157: '/etc/passwd' } })),
      'BUNDLE_MEMBER_KIND',
    ],
    ['a device', tarOf(changed(first, { set: { 156: '3' } })), 'BUNDLE_MEMBER_KIND'],
    ['a directory', tarOf(changed(first, { set: { 156: '5' } })), 'BUNDLE_MEMBER_KIND'],
    ['the old kind of a file', tarOf(changed(first, { set: { 156: '\u0000' } })), 'BUNDLE_MEMBER_KIND'],
    [
      'a pax header',
      tarOf([version, { name: 'pax', content: '19 path=checkpoint\n', set: { 156: 'x' } }, ...GOOD.slice(1)]),
      'BUNDLE_MEMBER_KIND',
    ],
    [
      'a global pax header',
      tarOf([{ name: 'pax', content: '19 path=checkpoint\n', set: { 156: 'g' } }, ...GOOD]),
      'BUNDLE_MEMBER_KIND',
    ],
    [
      'a long name of GNU tar',
      tarOf([{ name: '././@LongLink', content: 'checkpoint\u0000', set: { 156: 'L' } }, ...GOOD]),
      'BUNDLE_MEMBER_KIND',
    ],
    ['a sparse file', tarOf(changed(first, { set: { 156: 'S' } })), 'BUNDLE_MEMBER_KIND'],
    ['a link on a regular file', tarOf(changed(first, { set: { 157: 'checkpoint' } })), 'BUNDLE_MEMBER_KIND'],
    ['a directory before a name', tarOf(changed(first, { set: { 345: 'somewhere' } })), 'BUNDLE_MEMBER_KIND'],
    [
      'something behind the end of a name',
      tarOf(changed(first, { set: { 90: 'hidden' } })),
      'BUNDLE_NOT_TAR',
    ],
    [
      'a size in binary',
      tarOf(
        changed(first, {
          set: { 124: '\u0080\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0001\u0000' },
        }),
      ),
      'BUNDLE_NOT_TAR',
    ],
    ['a negative size', tarOf(changed(first, { set: { 124: '-0000000001\u0000' } })), 'BUNDLE_NOT_TAR'],
    [
      'a size beyond the file',
      tarOf(changed(second, { set: { 124: '77777777777\u0000' } })),
      'BUNDLE_TRUNCATED',
    ],
    ['GNU tar’s magic', tarOf(changed(first, { set: { 257: 'ustar  \u0000' } })), 'BUNDLE_NOT_TAR'],
    ['something between files', tarOf(GOOD).fill('x', 1022, 1023), 'BUNDLE_NOT_TAR'],
    ['another archive behind it', Buffer.concat([TAR, TAR]), 'BUNDLE_TRAILING'],
    ['a long tail of zeros', tarOf(GOOD, Buffer.alloc(1 << 20)), 'BUNDLE_TRAILING'],
    [
      'a tail that is not zero',
      tarOf(GOOD, Buffer.concat([Buffer.alloc(512), Buffer.alloc(512, 1)])),
      'BUNDLE_TRAILING',
    ],
    ['no end', tarOf(GOOD, Buffer.alloc(0)), 'BUNDLE_TRUNCATED'],
    ['half an end', tarOf(GOOD, Buffer.alloc(512)), 'BUNDLE_TRUNCATED'],
    [
      'a line without an end',
      tarOf(changed(second, { content: String(second.content).slice(0, -1) })),
      'BUNDLE_LINE',
    ],
    ['an empty line', tarOf(changed(second, { content: '\n\n' })), 'BUNDLE_LINE'],
    ['base64 of another kind', tarOf(changed(second, { content: '=-_\n=-_\n' })), 'BUNDLE_LINE'],
    ['an entry of twenty megabytes', tarOf(changed(first, { content: 'x'.repeat(20 << 20) })), 'BUNDLE_LINE'],
    ['no archive', Buffer.from('something else entirely'), 'BUNDLE_TRUNCATED'],
    ['an archive of another kind', Buffer.alloc(4096, 'PK\u0003\u0004'), 'BUNDLE_NOT_TAR'],
    ['no bytes', Buffer.alloc(0), 'BUNDLE_TRUNCATED'],
  ])('with %s is refused', async (_, bytes, code) => {
    for (const file of [bytes, gzip(bytes)]) {
      const verdict = await verified(file, POLICY);
      expect(verdict.result).toBe('invalid');
      expect(codes(verdict)).toContain(code);
    }
  });

  it('that unpacks to gigabytes is refused as soon as there is more than was signed', async () => {
    const lines = Buffer.alloc(64 << 20, '\n');
    const bomb = gzipSync(tarOf(changed(first, { content: lines })));
    expect(bomb.length).toBeLessThan(1 << 20);
    const started = performance.now();
    expect(codes(await verified(bomb, POLICY))).toEqual(['AUDIT_ENTRY_UNEXPECTED']);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('that was cut anywhere is never valid', async () => {
    const packed = gzip(TAR);
    const file = join(temporaryDirectory(), 'cut');
    for (let length = 0; length < packed.length; length++) {
      writeFileSync(file, packed.subarray(0, length));
      expect((await verifyFile(file, TRUST)).result, `${length} bytes`).toBe('invalid');
    }
    for (let length = 0; length < TAR.length; length++) {
      expect(await resultOf(TAR.subarray(0, length)), `${length} bytes`).toBe('invalid');
    }
  });

  it('with any byte altered is never valid, but where the byte says nothing', async () => {
    const survived = new Set<number>();
    for (let at = 0; at < TAR.length; at++) {
      for (const mask of [0x01, 0x20, 0xff]) {
        const altered = Buffer.from(TAR);
        altered[at] = (altered[at] ?? 0) ^ mask;
        if ((await resultOf(altered)) === 'valid') survived.add(at % 512);
      }
    }
    // A space ends the number of a checksum as well as a NUL does.
    expect([...survived].filter((at) => at !== 154 && at !== 155)).toEqual([]);
  });

  it('with any byte of its compressed form altered is never valid, but where it holds the same', async () => {
    const packed = gzip(TAR);
    const file = join(temporaryDirectory(), 'altered');
    for (let at = 0; at < packed.length; at++) {
      for (const mask of [0x01, 0x20, 0xff]) {
        const altered = Buffer.from(packed);
        altered[at] = (altered[at] ?? 0) ^ mask;
        writeFileSync(file, altered);
        if ((await verifyFile(file, TRUST)).result === 'valid')
          expect(gunzipSync(altered).equals(TAR)).toBe(true);
      }
    }
  });
});

/** As `verified`, without a file. */
async function resultOf(bytes: Buffer): Promise<string> {
  const reader = new ByteReader(pieces(bytes));
  return (await verifyBundle(reader, TRUST)).result;
}

/** In pieces of an odd length, as a file may come. */
async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1_001) yield bytes.subarray(at, at + 1_001);
}
