import { equalBytes } from './equal-bytes.js';
import { hashChildren, invalid, isSize, rootOf } from './merkle-tree.js';

/**
 * The proof that the leaf at `index` is in the tree over `leaves`, from the bottom up.
 *
 * Source: RFC 9162, section 2.1.3.1.
 *
 * @throws AuditError `AUDIT_PROOF_INVALID` if there is no such leaf
 */
export function proveInclusion(leaves: readonly Uint8Array[], index: number): readonly Uint8Array[] {
  return inclusionRanges(index, leaves.length).map(([from, to]) => rootOf(leaves.slice(from, to)));
}

/** Leaves from the first index to before the second one. */
export type LeafRange = readonly [from: number, to: number];

/**
 * The leaves over which the nodes of an inclusion proof are roots, in the order of the proof: whoever has such roots elsewhere need
 * not have the leaves.
 *
 * @throws AuditError `AUDIT_PROOF_INVALID` if there is no such leaf
 */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  checkIndex(index, size);
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      ranges.push([middle, end]);
      end = middle;
    } else {
      ranges.push([start, middle]);
      start = middle;
    }
  }
  return ranges.reverse();
}

/**
 * The proof that the tree over `leaves` continues the tree over the first `size1` of them.
 *
 * Source: RFC 9162, section 2.1.4.1.
 *
 * @throws AuditError `AUDIT_PROOF_INVALID` if `size1` is 0 or greater than the number of leaves
 */
export function proveConsistency(leaves: readonly Uint8Array[], size1: number): readonly Uint8Array[] {
  return consistencyRanges(size1, leaves.length).map(([from, to]) => rootOf(leaves.slice(from, to)));
}

/**
 * The leaves over which the nodes of a consistency proof are roots, in the order of the proof.
 *
 * @throws AuditError `AUDIT_PROOF_INVALID` if `size1` is 0 or greater than `size2`
 */
export function consistencyRanges(size1: number, size2: number): readonly LeafRange[] {
  checkSizes(size1, size2);
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = size2;
  // True while the old tree is known to whoever checks, as its root.
  let known = true;
  while (size1 !== end) {
    const middle = start + splitPoint(end - start);
    if (size1 <= middle) {
      ranges.push([middle, end]);
      end = middle;
    } else {
      ranges.push([start, middle]);
      start = middle;
      known = false;
    }
  }
  if (!known) ranges.push([start, end]);
  return ranges.reverse();
}

/**
 * True if the proof shows that `leaf` stands at `index` in the tree of this size and root.
 *
 * Source: RFC 9162, section 2.1.3.2.
 *
 * @throws AuditError `AUDIT_PROOF_INVALID` if the tree has no such index
 */
export function checkInclusion(claim: {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  checkIndex(claim.index, claim.size);
  if (!areHashes([claim.leaf, claim.root, ...claim.proof])) return false;
  let first = claim.index;
  let last = claim.size - 1;
  let root = claim.leaf;
  for (const node of claim.proof) {
    if (last === 0) return false;
    if (first % 2 === 1 || first === last) {
      root = hashChildren(node, root);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = hashChildren(root, node);
    }
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(root, claim.root);
}

/**
 * True if the proof shows that the tree of `size2` and `root2` continues that of `size1` and `root1`.
 *
 * Source: RFC 9162, section 2.1.4.2.
 *
 * @throws AuditError `AUDIT_PROOF_INVALID` if `size1` is 0 or greater than `size2`: nothing can be proven of these
 */
export function checkConsistency(claim: {
  readonly size1: number;
  readonly size2: number;
  readonly root1: Uint8Array;
  readonly root2: Uint8Array;
  readonly proof: readonly Uint8Array[];
}): boolean {
  const { size1, size2, root1, root2 } = claim;
  checkSizes(size1, size2);
  if (size1 === size2) return claim.proof.length === 0 && equalBytes(root1, root2);
  if (!areHashes([root1, root2, ...claim.proof])) return false;
  const path = isPowerOfTwo(size1) ? [root1, ...claim.proof] : claim.proof;
  const [seed, ...rest] = path;
  if (seed === undefined) return false;
  let first = size1 - 1;
  let last = size2 - 1;
  while (first % 2 === 1) {
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  let old = seed;
  let now = seed;
  for (const node of rest) {
    if (last === 0) return false;
    if (first % 2 === 1 || first === last) {
      old = hashChildren(node, old);
      now = hashChildren(node, now);
      while (first % 2 === 0 && first !== 0) {
        first /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      now = hashChildren(now, node);
    }
    first = Math.floor(first / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(old, root1) && equalBytes(now, root2);
}

/** The largest power of two below `size`, for a size of at least 2. */
function splitPoint(size: number): number {
  let point = 1;
  while (point * 2 < size) point *= 2;
  return point;
}

function isPowerOfTwo(size: number): boolean {
  let rest = size;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === 32);
}

function checkIndex(index: number, size: number): void {
  if (!isSize(size) || !isSize(index) || index >= size) {
    throw invalid(`a tree of size ${size} has no leaf at index ${index}`);
  }
}

function checkSizes(size1: number, size2: number): void {
  if (!isSize(size1) || !isSize(size2) || size1 === 0 || size1 > size2) {
    throw invalid(`there is no consistency proof from size ${size1} to size ${size2}`);
  }
}
