import { hash } from 'node:crypto';

/** SHA-256, 32 bytes. */
export function sha256(data: Uint8Array | string): Buffer {
  return hash('sha256', data, 'buffer');
}

/** The hash of an entry: SHA-256(0x00 ‖ body). Source: RFC 9162, section 2.1.1. */
export function hashLeaf(body: Uint8Array): Buffer {
  return sha256(Buffer.concat([Buffer.from([0x00]), body]));
}

const children = Buffer.alloc(65);
children[0] = 0x01;

/** The hash of a node: SHA-256(0x01 ‖ left ‖ right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  children.set(left, 1);
  children.set(right, 33);
  return sha256(children);
}

/** A tree that grows at its right end: the roots of its perfect subtrees, the largest first. */
export class Tree {
  size = 0;
  readonly #subtrees: { root: Buffer; readonly size: number }[] = [];

  /**
   * Adds the root over the next `size` entries: a power of two that divides the size of the tree, or the subtree would not
   * stand where the tree has one.
   */
  append(root: Buffer, size = 1): void {
    if (this.size % size !== 0) throw new RangeError('a subtree begins where it does not belong');
    let [right, width] = [root, size];
    for (;;) {
      const left = this.#subtrees.at(-1);
      if (left === undefined || left.size !== width) break;
      this.#subtrees.pop();
      right = hashNode(left.root, right);
      width *= 2;
    }
    this.#subtrees.push({ root: right, size: width });
    this.size += size;
  }

  /** That of the empty tree is SHA-256 of nothing. */
  root(): Buffer {
    const [last, ...others] = this.#subtrees.map(({ root }) => root).reverse();
    return last === undefined ? sha256('') : others.reduce((right, left) => hashNode(left, right), last);
  }
}

/** The root of the tree over these hashes. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const tree = new Tree();
  for (const leaf of leaves) tree.append(leaf);
  return tree.root();
}

/**
 * The root that an inclusion proof leads to, or null if the proof is not as long as it must be.
 *
 * Source: RFC 9162, section 2.1.3.2.
 */
export function rootByInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
): Buffer | null {
  if (!(index >= 0 && index < size)) return null;
  let [at, last, root] = [BigInt(index), BigInt(size - 1), leaf];
  for (const node of proof) {
    if (last === 0n) return null;
    if (at % 2n === 1n || at === last) {
      root = hashNode(node, root);
      while (at % 2n === 0n && at !== 0n) [at, last] = [at / 2n, last / 2n];
    } else root = hashNode(root, node);
    [at, last] = [at / 2n, last / 2n];
  }
  return last === 0n ? root : null;
}

/**
 * True if the proof shows that the tree of `newSize` continues that of `oldSize`, which has at least one entry.
 *
 * Source: RFC 9162, section 2.1.4.2.
 */
export function isContinued(
  old: { readonly size: number; readonly root: Buffer },
  now: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (old.size < 1 || old.size > now.size) return false;
  if (old.size === now.size) return proof.length === 0 && old.root.equals(now.root);
  let [at, last] = [BigInt(old.size - 1), BigInt(now.size - 1)];
  while (at % 2n === 1n) [at, last] = [at / 2n, last / 2n];
  // Where the old tree is perfect it is itself the first node, and the proof leaves it out.
  const [first, ...nodes] = at === 0n ? [old.root, ...proof] : proof;
  if (first === undefined) return false;
  let [before, after] = [first, first];
  for (const node of nodes) {
    if (last === 0n) return false;
    if (at % 2n === 1n || at === last) {
      before = hashNode(node, before);
      after = hashNode(node, after);
      while (at % 2n === 0n && at !== 0n) [at, last] = [at / 2n, last / 2n];
    } else after = hashNode(after, node);
    [at, last] = [at / 2n, last / 2n];
  }
  return last === 0n && before.equals(old.root) && after.equals(now.root);
}
