import type { LeafRange } from './merkle-proof.js';
import { CompactRange } from './merkle-tree.js';

/** The roots over some ranges of leaves, made from the leaves as they come by. */
export class SubtreeRoots {
  readonly #wanted: readonly { readonly range: LeafRange; readonly tree: CompactRange }[];
  #index = 0;

  constructor(ranges: readonly LeafRange[]) {
    this.#wanted = ranges.map((range) => ({ range, tree: new CompactRange() }));
  }

  /** The next leaf, from index 0 on. */
  add(leaf: Uint8Array): void {
    for (const { range, tree } of this.#wanted) {
      if (this.#index >= range[0] && this.#index < range[1]) tree.append(leaf);
    }
    this.#index++;
  }

  /** In the order of the ranges. */
  roots(): readonly Uint8Array[] {
    return this.#wanted.map(({ tree }) => tree.root());
  }
}
