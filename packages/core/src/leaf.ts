import { isSha256, sha256Into } from './sha256.js';

const LEAF_PREFIX = 0x00;
const KEPT_BYTES = 1 << 20;

/** Bodies are copied behind the prefix into this buffer: one copy is much cheaper than a streaming hash. */
let scratch = prefixed(4096);

/**
 * The leaf of a body: SHA-256(0x00 ‖ body), 32 bytes.
 *
 * Source: RFC 9162, section 2.1.1.
 */
export function hashLeaf(body: Uint8Array): Uint8Array {
  const leaf = new Uint8Array(32);
  sha256Into(behindPrefix(body), leaf, 0);
  return leaf;
}

/** True if `leaf` is that of the body. */
export function isLeafOf(body: Uint8Array, leaf: Uint8Array): boolean {
  return isSha256(behindPrefix(body), leaf);
}

function behindPrefix(body: Uint8Array): Uint8Array {
  const length = body.length + 1;
  let buffer = scratch;
  if (length > buffer.length) {
    buffer = prefixed(length);
    // One huge body does not stay in memory for ever.
    if (length <= KEPT_BYTES) scratch = buffer;
  }
  buffer.set(body, 1);
  // A Buffer's `subarray` takes three times as long.
  return new Uint8Array(buffer.buffer, buffer.byteOffset, length);
}

function prefixed(length: number): Buffer {
  const buffer = Buffer.alloc(length);
  buffer[0] = LEAF_PREFIX;
  return buffer;
}
