import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { refuse } from './finding.js';

const CHUNK = 1 << 17;

/** Reads a stream of bytes by the number of them, never more than a piece ahead. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #piece: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, at least one and at most `most`; null at the end. */
  async next(most: number): Promise<Buffer | null> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#source.next();
      if (done === true) return null;
      this.#piece = value;
    }
    const taken = this.#piece.subarray(0, most);
    this.#piece = this.#piece.subarray(taken.length);
    return taken;
  }

  /** Exactly so many bytes; null if the stream ends before the first of them. @throws Refused `BUNDLE_TRUNCATED` */
  async exactly(count: number): Promise<Buffer | null> {
    const pieces: Buffer[] = [];
    let missing = count;
    while (missing > 0) {
      const piece = await this.next(missing);
      if (piece === null) {
        if (missing === count) return null;
        throw refuse('BUNDLE_TRUNCATED', 'the file ends in the middle of its archive');
      }
      pieces.push(piece);
      missing -= piece.length;
    }
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  }

  /** Lets go of what it reads from. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

/** The bytes of a file, decompressed where it is compressed. @throws Refused `BUNDLE_NOT_GZIP`, `BUNDLE_TRUNCATED` */
export async function* readFile(path: string, isCompressed: boolean): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  if (!isCompressed) {
    yield* file;
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK });
  file.on('error', (error) => gunzip.destroy(error));
  file.pipe(gunzip);
  try {
    yield* gunzip;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'Z_BUF_ERROR') throw refuse('BUNDLE_TRUNCATED', 'the compressed file ends before its end');
    if (typeof code === 'string' && code.startsWith('Z_')) {
      throw refuse('BUNDLE_NOT_GZIP', 'the file can not be decompressed');
    }
    throw error;
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}
