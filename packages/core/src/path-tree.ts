/** Paths to redact, as a tree by their parts. */
export interface PathNode {
  readonly children: Map<string, PathNode>;
  /** True where a path ends. */
  ends: boolean;
}

/** Several paths that agree with the way to one value. */
export type PathNodes = readonly PathNode[];

export const NO_PATHS: PathNodes = [];

export function createPathTree(paths: readonly string[]): PathNode {
  const root: PathNode = { children: new Map(), ends: false };
  for (const path of paths) {
    let node = root;
    for (const part of path.split('.')) {
      let child = node.children.get(part);
      if (child === undefined) {
        child = { children: new Map(), ends: false };
        node.children.set(part, child);
      }
      node = child;
    }
    node.ends = true;
  }
  return root;
}

/** One key further; `*` in a path stands for any key. */
export function followKey(nodes: PathNodes, key: string): PathNodes {
  if (nodes.length === 0) return NO_PATHS;
  const next: PathNode[] = [];
  for (const node of nodes) {
    const child = node.children.get(key);
    if (child !== undefined) next.push(child);
    const any = node.children.get('*');
    if (any !== undefined) next.push(any);
  }
  return next.length === 0 ? NO_PATHS : next;
}

/** Into an array: a path may name the index, say `*`, or pass over it. */
export function followIndex(nodes: PathNodes, index: number): PathNodes {
  return nodes.length === 0 ? NO_PATHS : [...nodes, ...followKey(nodes, String(index))];
}

export function endsHere(nodes: PathNodes): boolean {
  for (const node of nodes) if (node.ends) return true;
  return false;
}
