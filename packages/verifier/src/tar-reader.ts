import type { ByteReader } from './byte-reader.js';
import { refuse } from './finding.js';

const BLOCK = 512;

/** A file in an archive. Its content is read before the next one is asked for. */
export interface TarMember {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  content(): AsyncGenerator<Buffer>;
}

/**
 * The files of a tar archive of the plain kind: `ustar`, regular files, names of at most 100 ASCII characters. Nothing else is
 * needed, and whatever else tar can say (links, extended headers, names elsewhere) can only make two readers see different
 * things. Nothing is ever written to a disk.
 *
 * Source: POSIX.1-2024, pax, "ustar Interchange Format"
 *
 * @throws Refused `BUNDLE_NOT_TAR`, `BUNDLE_MEMBER_KIND`, `BUNDLE_TRUNCATED`, `BUNDLE_TRAILING`
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarMember> {
  for (;;) {
    const header = await reader.exactly(BLOCK);
    if (header === null) throw refuse('BUNDLE_TRUNCATED', 'the archive has no end');
    if (isZero(header)) break;
    const { name, size } = readHeader(header);
    let left = size;
    yield {
      name,
      size,
      content: async function* () {
        while (left > 0) {
          const piece = await reader.next(left);
          if (piece === null) throw refuse('BUNDLE_TRUNCATED', `the archive ends in the middle of ${name}`);
          left -= piece.length;
          yield piece;
        }
      },
    };
    if (left > 0) throw new Error(`${name} was not read to its end`);
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    const filler = padding === 0 ? null : await reader.exactly(padding);
    if (padding > 0 && filler === null) throw refuse('BUNDLE_TRUNCATED', `the archive ends behind ${name}`);
    if (filler !== null && !isZero(filler))
      throw refuse('BUNDLE_NOT_TAR', `there is something behind ${name}`);
  }
  const second = await reader.exactly(BLOCK);
  if (second === null) throw refuse('BUNDLE_TRUNCATED', 'the archive has half an end');
  if (!isZero(second)) throw refuse('BUNDLE_TRAILING', 'something stands behind the end of the archive');
  // tar fills up to a record of 20 blocks.
  let rest = 18;
  for (let block = await reader.exactly(BLOCK); block !== null; block = await reader.exactly(BLOCK)) {
    if (!isZero(block) || rest-- === 0) {
      throw refuse('BUNDLE_TRAILING', 'something stands behind the end of the archive');
    }
  }
}

function readHeader(header: Buffer): { readonly name: string; readonly size: number } {
  // First, because it is what tells damage from intent.
  if (octal(header, 148, 8) !== checksum(header))
    throw refuse('BUNDLE_NOT_TAR', 'a header has a wrong checksum');
  if (header.toString('latin1', 257, 265) !== 'ustar\u000000') {
    throw refuse('BUNDLE_NOT_TAR', 'a header is not of the kind ustar');
  }
  const name = text(header, 0, 100);
  const kind = String.fromCharCode(header[156] ?? 0);
  if (kind !== '0') throw refuse('BUNDLE_MEMBER_KIND', `${printable(name)} is no regular file`);
  if (text(header, 157, 100) !== '' || text(header, 345, 155) !== '') {
    throw refuse('BUNDLE_MEMBER_KIND', `${printable(name)} names another file or directory`);
  }
  return { name, size: octal(header, 124, 12) };
}

/** A field up to its NUL; behind that there is nothing. */
function text(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  if (end === -1) return field.toString('latin1');
  if (!isZero(field.subarray(end))) throw refuse('BUNDLE_NOT_TAR', 'a field of a header has two ends');
  return field.toString('latin1', 0, end);
}

/** Octal digits and one NUL or space: never the binary numbers of other kinds of tar. */
function octal(header: Buffer, at: number, length: number): number {
  const field = header.toString('latin1', at, at + length);
  const [, digits] = /^([0-7]{6,11})(?:[\0 ]{1,2})$/.exec(field) ?? [];
  if (digits === undefined)
    throw refuse('BUNDLE_NOT_TAR', 'a number in a header has not the form that it must have');
  return Number.parseInt(digits, 8);
}

function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  return sum;
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

/** A name in a message must not steer a terminal. */
function printable(name: string): string {
  return JSON.stringify(name.replace(/[^\x20-\x7e]/g, '?').slice(0, 80));
}
