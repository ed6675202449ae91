import { AuditError } from './audit-error.js';
import { sha256, sha256Into } from './sha256.js';

const HASH = 32;
const NODE_PREFIX = 0x01;

const children = Buffer.alloc(1 + 2 * HASH);
children[0] = NODE_PREFIX;

/** A node of the tree: SHA-256(0x01 ‖ left ‖ right). Source: RFC 9162, section 2.1.1. */
export function hashChildren(left: Uint8Array, right: Uint8Array): Uint8Array {
  children.set(left, 1);
  children.set(right, 1 + HASH);
  return sha256(children);
}

/**
 * The compact range of a growing tree: the roots of its perfect subtrees, largest first. It is all that is needed to
 * append leaves and to know the root.
 *
 * Source: RFC 9162, section 2.1.2 (the stack of its algorithm).
 */
export class CompactRange {
  #size = 0;
  #count = 0;
  #roots = Buffer.alloc(HASH * 54);

  /** The number of leaves. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param bytes the roots, concatenated, as `toBytes` made them
   * @throws AuditError `AUDIT_PROOF_INVALID` if their number does not fit the size
   */
  static fromBytes(size: number, bytes: Uint8Array): CompactRange {
    if (!isSize(size) || bytes.length !== HASH * countOnes(size)) {
      throw invalid(`a compact range of ${bytes.length} bytes does not belong to a tree of size ${size}`);
    }
    const range = new CompactRange();
    range.#size = size;
    range.#count = bytes.length / HASH;
    range.#roots.set(bytes);
    return range;
  }

  /** @param leaf the leaf's hash, 32 bytes */
  append(leaf: Uint8Array): void {
    if (leaf.length !== HASH) throw new TypeError(`a leaf has ${HASH} bytes, not ${leaf.length}`);
    const roots = this.#roots;
    roots.set(leaf, this.#count * HASH);
    let count = this.#count + 1;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      // The two roots that become one stand side by side.
      const left = (count - 2) * HASH;
      roots.copy(children, 1, left, left + 2 * HASH);
      sha256Into(children, roots, left);
      count--;
    }
    this.#count = count;
    this.#size++;
  }

  /** The root, 32 bytes; that of the empty tree is SHA-256 of nothing. */
  root(): Uint8Array {
    if (this.#count === 0) return sha256('');
    let root: Uint8Array = Buffer.from(this.#root(this.#count - 1));
    for (let i = this.#count - 2; i >= 0; i--) root = hashChildren(this.#root(i), root);
    return root;
  }

  /** The roots, concatenated: 32 bytes for each bit that is set in the size. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.#roots.subarray(0, this.#count * HASH));
  }

  #root(i: number): Uint8Array {
    return this.#roots.subarray(i * HASH, (i + 1) * HASH);
  }
}

/** The root of the tree over these leaves. */
export function rootOf(leaves: Iterable<Uint8Array>): Uint8Array {
  const range = new CompactRange();
  for (const leaf of leaves) range.append(leaf);
  return range.root();
}

export function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0;
}

/** How many perfect subtrees a tree of this size has. */
function countOnes(size: number): number {
  let ones = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

export function invalid(message: string): AuditError {
  return new AuditError('AUDIT_PROOF_INVALID', 'core', message);
}
