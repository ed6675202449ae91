const BLOCK = 512;
const MAX_SIZE = 8 ** 11 - 1;

/**
 * A file in a tar archive, header and padding included. Owner, rights and time say nothing, so that the same content is the same
 * archive.
 *
 * Source: POSIX.1-2024, pax, "ustar Interchange Format"
 *
 * @param name ASCII, at most 100 characters
 */
export function* tarMember(name: string, content: readonly Uint8Array[]): Generator<Uint8Array> {
  const size = content.reduce((sum, { length }) => sum + length, 0);
  if (!/^[\x21-\x7e]{1,100}$/.test(name) || size > MAX_SIZE) {
    throw new RangeError(`${name} with ${size} bytes can not stand in a tar archive`);
  }
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  // The checksum is that of a header with blanks in its place.
  header.fill(0x20, 148, 156);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  yield header;
  yield* content;
  const padding = (BLOCK - (size % BLOCK)) % BLOCK;
  if (padding > 0) yield Buffer.alloc(padding);
}

/** What an archive ends with. */
export function tarEnd(): Uint8Array {
  return Buffer.alloc(2 * BLOCK);
}
