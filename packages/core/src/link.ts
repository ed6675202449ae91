import { FixedHmac } from './fixed-hmac.js';
import { sha256, sha256Into } from './sha256.js';
import { writeUint64 } from './uint64.js';

const PREFIX = Buffer.from('indelible/link/v1\n', 'latin1');
const PREVIOUS_AT = PREFIX.length;
const INDEX_AT = PREVIOUS_AT + 32;
const SEALED_AT = INDEX_AT + 8;
const LEAF_AT = SEALED_AT + 8;
const LENGTH = LEAF_AT + 32;

/** The link before the first entry: SHA-256("indelible/log/v1\n" ‖ origin ‖ "\n"). It ties the chain to its log. */
export function firstLink(log: string): Uint8Array {
  return sha256(`indelible/log/v1\n${log}\n`);
}

/**
 * Makes the links of a log:
 * `HMAC-SHA-256(linkKey, "indelible/link/v1\n" ‖ previous ‖ uint64be(index) ‖ uint64be(sealedAt, µs) ‖ leaf)`,
 * or plain SHA-256 of the same where there is no key.
 */
export class Linker {
  readonly #hmac: FixedHmac | null;
  readonly #message: Buffer;
  #lastSealedAt: bigint | null = null;

  /** @param key the subkey `link`, or null for a log without a key */
  constructor(key: Uint8Array | null) {
    this.#hmac = key === null ? null : new FixedHmac(key, LENGTH);
    this.#message = this.#hmac?.message ?? Buffer.alloc(LENGTH);
    PREFIX.copy(this.#message);
  }

  /** @param index an integer >= 0  @param sealedAt microseconds since 1970-01-01 UTC */
  link(previous: Uint8Array, index: number, sealedAt: bigint, leaf: Uint8Array): Uint8Array {
    const target = new Uint8Array(32);
    this.linkInto(previous, index, sealedAt, leaf, target);
    return target;
  }

  /** As `link`, written to the first 32 bytes of `target`. */
  linkInto(
    previous: Uint8Array,
    index: number,
    sealedAt: bigint,
    leaf: Uint8Array,
    target: Uint8Array,
  ): void {
    const message = this.#message;
    message.set(previous, PREVIOUS_AT);
    writeUint64(message, index, INDEX_AT);
    if (sealedAt !== this.#lastSealedAt) {
      // asUintN, because a tampered time may be negative and must become a finding, not an exception.
      message.writeBigUInt64BE(BigInt.asUintN(64, sealedAt), SEALED_AT);
      this.#lastSealedAt = sealedAt;
    }
    message.set(leaf, LEAF_AT);
    if (this.#hmac === null) sha256Into(message, target, 0);
    else this.#hmac.digestInto(target, 0);
  }
}
