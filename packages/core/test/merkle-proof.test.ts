import { describe, expect, it } from 'vitest';
import { hashLeaf } from '../src/leaf.js';
import { checkConsistency, checkInclusion, proveConsistency, proveInclusion } from '../src/merkle-proof.js';
import { CompactRange, hashChildren, rootOf } from '../src/merkle-tree.js';
import { compactRange, leafOf, sha256, treeRoot } from './rewrite-log.js';
import { trySharedVectors } from './shared-vectors.js';

interface Vectors {
  readonly inclusion: readonly {
    readonly name: string;
    readonly leafIdx: number;
    readonly treeSize: number;
    readonly root: string;
    readonly leafHash: string;
    readonly proof: readonly string[] | null;
    readonly wantErr: boolean;
  }[];
  readonly consistency: readonly {
    readonly name: string;
    readonly size1: number;
    readonly size2: number;
    readonly root1: string;
    readonly root2: string;
    readonly proof: readonly string[] | null;
    readonly wantErr: boolean;
  }[];
}

const bytes = (text: string) => Buffer.from(text ?? '', 'base64');
const leaves = Array.from({ length: 130 }, (_, i) => leafOf(Buffer.from(`leaf ${i}`)));
const code = (expected: string) => expect.objectContaining({ code: expected });

/** True if the check passes, false if it says no or refuses the sizes. */
function passes(check: () => boolean): boolean {
  try {
    return check();
  } catch (error) {
    expect(error).toEqual(code('AUDIT_PROOF_INVALID'));
    return false;
  }
}

/** The proof by its recursive definition, RFC 9162 section 2.1.3.1. */
function naiveInclusion(index: number, of: readonly Uint8Array[]): Uint8Array[] {
  if (of.length === 1) return [];
  const split = 2 ** Math.floor(Math.log2(of.length - 1));
  return index < split
    ? [...naiveInclusion(index, of.slice(0, split)), treeRoot(of.slice(split))]
    : [...naiveInclusion(index - split, of.slice(split)), treeRoot(of.slice(0, split))];
}

/** The proof by its recursive definition, RFC 9162 section 2.1.4.1. */
function naiveConsistency(size: number, of: readonly Uint8Array[], known = true): Uint8Array[] {
  if (size === of.length) return known ? [] : [treeRoot(of)];
  const split = 2 ** Math.floor(Math.log2(of.length - 1));
  return size <= split
    ? [...naiveConsistency(size, of.slice(0, split), known), treeRoot(of.slice(split))]
    : [...naiveConsistency(size - split, of.slice(split), false), treeRoot(of.slice(0, split))];
}

describe('the tree', () => {
  it('has the root and the compact range of the recursive definition, for every size', () => {
    const range = new CompactRange();
    for (let size = 0; size <= leaves.length; size++) {
      const some = leaves.slice(0, size);
      expect(Buffer.from(range.root())).toEqual(treeRoot(some));
      expect(Buffer.from(rootOf(some))).toEqual(treeRoot(some));
      expect(Buffer.from(range.toBytes())).toEqual(compactRange(some));
      expect(range.size).toBe(size);
      const leaf = leaves[size];
      if (leaf !== undefined) range.append(leaf);
    }
  });

  it('goes on from its compact range as if it had never stopped', () => {
    for (let size = 0; size < 40; size++) {
      const range = CompactRange.fromBytes(size, compactRange(leaves.slice(0, size)));
      for (const leaf of leaves.slice(size, 40)) range.append(leaf);
      expect(Buffer.from(range.root())).toEqual(treeRoot(leaves.slice(0, 40)));
    }
  });

  it('of no leaves has the root SHA-256 of nothing', () => {
    expect(Buffer.from(rootOf([])).toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('keeps a node apart from a leaf of the same bytes', () => {
    const [one, other] = [leafOf(Buffer.from('a')), leafOf(Buffer.from('b'))];
    expect(Buffer.from(hashChildren(one, other))).toEqual(sha256(Uint8Array.of(1), one, other));
    expect(Buffer.from(hashLeaf(Buffer.concat([one, other])))).not.toEqual(
      Buffer.from(hashChildren(one, other)),
    );
  });

  it('appends beyond 2^32 leaves', () => {
    const size = 2 ** 40 + 1;
    const range = CompactRange.fromBytes(size, Buffer.alloc(64, 1));
    range.append(leaves[0] ?? Buffer.alloc(32));
    expect(range.size).toBe(size + 1);
    expect(range.toBytes().length).toBe(64);
  });

  it.each([
    [3, 32],
    [4, 64],
    [0, 32],
    [-1, 0],
    [1.5, 32],
  ])('refuses a compact range that does not fit: size %d, %d bytes', (size, length) => {
    expect(() => CompactRange.fromBytes(size, Buffer.alloc(length))).toThrow(code('AUDIT_PROOF_INVALID'));
  });

  it('takes no leaf that is no hash', () => {
    expect(() => new CompactRange().append(Buffer.alloc(31))).toThrow(TypeError);
  });
});

describe('inclusion', () => {
  it('is proven for every leaf of every size, as the recursive definition says', () => {
    for (let size = 1; size <= 130; size += size < 34 ? 1 : 12) {
      const some = leaves.slice(0, size);
      const root = treeRoot(some);
      some.forEach((leaf, index) => {
        const proof = proveInclusion(some, index);
        expect(proof.map((node) => Buffer.from(node))).toEqual(naiveInclusion(index, some));
        expect(checkInclusion({ index, size, leaf, root, proof })).toBe(true);
        if (size > 1) {
          const other = (index + 1) % size;
          expect(checkInclusion({ index: other, size, leaf, root, proof })).toBe(false);
          expect(checkInclusion({ index, size, leaf, root, proof: proof.slice(1) })).toBe(false);
        }
        expect(checkInclusion({ index, size, leaf, root, proof: [...proof, leaf] })).toBe(false);
        expect(checkInclusion({ index, size, leaf: leafOf(leaf), root, proof })).toBe(false);
      });
    }
  });

  it.each([
    [0, 0],
    [1, 1],
    [-1, 1],
    [0.5, 1],
  ])('of index %d in a tree of size %d can not be asked for', (index, size) => {
    const some = leaves.slice(0, size);
    expect(() => proveInclusion(some, index)).toThrow(code('AUDIT_PROOF_INVALID'));
    const hash = Buffer.alloc(32);
    expect(() => checkInclusion({ index, size, leaf: hash, root: hash, proof: [] })).toThrow(
      code('AUDIT_PROOF_INVALID'),
    );
  });

  it('is refused where a hash has another length', () => {
    const [leaf = Buffer.alloc(32)] = leaves;
    expect(checkInclusion({ index: 0, size: 1, leaf, root: leaf.subarray(0, 31), proof: [] })).toBe(false);
    expect(
      checkInclusion({ index: 0, size: 1, leaf: Buffer.alloc(0), root: Buffer.alloc(0), proof: [] }),
    ).toBe(false);
  });
});

describe('consistency', () => {
  it('is proven between all sizes, as the recursive definition says', () => {
    for (let size2 = 1; size2 <= 130; size2 += size2 < 34 ? 1 : 12) {
      const some = leaves.slice(0, size2);
      const root2 = treeRoot(some);
      for (let size1 = 1; size1 <= size2; size1++) {
        const proof = proveConsistency(some, size1);
        const root1 = treeRoot(leaves.slice(0, size1));
        expect(proof.map((node) => Buffer.from(node))).toEqual(naiveConsistency(size1, some));
        expect(checkConsistency({ size1, size2, root1, root2, proof })).toBe(true);
        const wrong = leafOf(root1);
        expect(checkConsistency({ size1, size2, root1: wrong, root2, proof })).toBe(false);
        expect(checkConsistency({ size1, size2, root1, root2: wrong, proof })).toBe(false);
        expect(checkConsistency({ size1, size2, root1, root2, proof: [...proof, wrong] })).toBe(false);
        if (size1 < size2) {
          expect(checkConsistency({ size1, size2, root1, root2, proof: proof.slice(1) })).toBe(false);
          expect(checkConsistency({ size1, size2, root1, root2, proof: [] })).toBe(false);
        }
      }
    }
  });

  it('is refused where a hash is cut short, also right after it was accepted whole', () => {
    const [one = Buffer.alloc(0), other = Buffer.alloc(0)] = leaves;
    const claim = { size1: 1, size2: 2, root1: one, root2: treeRoot([one, other]) };
    expect(checkConsistency({ ...claim, proof: [other] })).toBe(true);
    expect(checkConsistency({ ...claim, proof: [other.subarray(0, 31)] })).toBe(false);
    expect(checkConsistency({ ...claim, root1: one.subarray(0, 31), proof: [other] })).toBe(false);
  });

  it.each([
    [0, 0],
    [0, 5],
    [6, 5],
    [-1, 5],
    [1.5, 5],
  ])('from size %d to size %d can not be asked for', (size1, size2) => {
    expect(() => proveConsistency(leaves.slice(0, size2), size1)).toThrow(code('AUDIT_PROOF_INVALID'));
    const root = treeRoot(leaves.slice(0, size2));
    const claim = { size1, size2, root1: treeRoot([]), root2: root, proof: [] };
    expect(() => checkConsistency(claim)).toThrow(code('AUDIT_PROOF_INVALID'));
  });
});

describe('the proofs of transparency-dev/merkle', () => {
  const shared = trySharedVectors('merkle-proofs.json') as Vectors | null;
  const note = shared === null ? ' (SKIPPED: shared/vectors/merkle-proofs.json is not there)' : '';

  it.skipIf(shared === null)(`of inclusion are accepted and refused as they should be${note}`, () => {
    expect(shared?.inclusion.length).toBe(98);
    for (const { name, leafIdx, treeSize, root, leafHash, proof, wantErr } of shared?.inclusion ?? []) {
      const claim = { index: leafIdx, size: treeSize, leaf: bytes(leafHash), root: bytes(root) };
      const nodes = (proof ?? []).map(bytes);
      expect(
        passes(() => checkInclusion({ ...claim, proof: nodes })),
        name,
      ).toBe(!wantErr);
    }
  });

  it.skipIf(shared === null)(`of consistency are accepted and refused as they should be${note}`, () => {
    expect(shared?.consistency.length).toBe(98);
    for (const { name, size1, size2, root1, root2, proof, wantErr } of shared?.consistency ?? []) {
      const claim = { size1, size2, root1: bytes(root1), root2: bytes(root2) };
      const nodes = (proof ?? []).map(bytes);
      expect(
        passes(() => checkConsistency({ ...claim, proof: nodes })),
        name,
      ).toBe(!wantErr);
    }
  });
});
