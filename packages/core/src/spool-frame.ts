import { crc32 } from './crc32.js';

/** Each record begins with it, so that reading goes on behind a damaged one. */
const MAGIC = Buffer.from('\u0000ISF', 'latin1');
const HEADER = 12;

/** One record of a spool file: magic, length (uint32be), CRC-32 of the payload (uint32be), payload. */
export function encodeFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER + payload.length);
  MAGIC.copy(frame);
  frame.writeUInt32BE(payload.length, 4);
  frame.writeUInt32BE(crc32(payload), 8);
  frame.set(payload, HEADER);
  return frame;
}

export interface DecodedFrames {
  readonly payloads: readonly Uint8Array[];
  /** Places in the middle where bytes are no record: each hides one record or more. */
  readonly damaged: number;
  /** True if the last record is cut short. */
  readonly torn: boolean;
}

/** Reads a whole spool file. Every record that is intact is found, also behind a damaged one. */
export function decodeFrames(bytes: Buffer): DecodedFrames {
  const payloads: Uint8Array[] = [];
  let damaged = 0;
  let at = 0;
  while (at < bytes.length) {
    const payload = payloadAt(bytes, at);
    if (payload !== undefined) {
      payloads.push(payload);
      at += HEADER + payload.length;
      continue;
    }
    const next = nextFrame(bytes, at + 1);
    if (next === -1) return { payloads, damaged, torn: true };
    damaged += 1;
    at = next;
  }
  return { payloads, damaged, torn: false };
}

function payloadAt(bytes: Buffer, at: number): Uint8Array | undefined {
  if (at + HEADER > bytes.length || bytes.compare(MAGIC, 0, MAGIC.length, at, at + MAGIC.length) !== 0) {
    return undefined;
  }
  const start = at + HEADER;
  const end = start + bytes.readUInt32BE(at + 4);
  if (end > bytes.length) return undefined;
  const payload = bytes.subarray(start, end);
  return crc32(payload) === bytes.readUInt32BE(at + 8) ? payload : undefined;
}

function nextFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MAGIC, from); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (payloadAt(bytes, at) !== undefined) return at;
  }
  return -1;
}
