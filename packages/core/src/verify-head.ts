import { equalBytes } from './equal-bytes.js';
import type { FindingList } from './finding-list.js';
import { isHeadAuthentic } from './head.js';
import type { AuditKeys } from './keys.js';
import type { CompactRange } from './merkle-tree.js';
import type { StoredHead } from './store.js';
import type { ChainVerifier } from './verify-chain.js';

/** Checks that the head was written with the key. @returns true if it may be believed */
export function verifyHeadMac(
  head: StoredHead,
  keys: AuditKeys | undefined,
  keyedFrom: number,
  findings: FindingList,
): boolean {
  if (keys === undefined) return true;
  if (head.mac === null) {
    if (head.size <= keyedFrom) return true;
    findings.add('head-keyed', null, null, `the head has ${head.size} entries and no MAC`);
    return false;
  }
  if (isHeadAuthentic(keys, head)) return true;
  findings.add('head-mac', null, null, 'the MAC does not belong to this size, link, tree and key');
  return false;
}

/**
 * Compares the head with what the entries up to its size give.
 *
 * @param tree null where entries are missing, so that no tree can be made
 */
export function verifyHeadState(
  head: StoredHead,
  chain: ChainVerifier,
  tree: CompactRange | null,
  keyedFrom: number,
  findings: FindingList,
): void {
  if (!chain.endsWith(head.hash)) {
    findings.add('head-link', null, null, 'the head states another last link than the entries give');
  }
  if (head.mac === null && head.size <= keyedFrom && chain.keyedSeen) {
    findings.add('head-keyed', null, null, 'the entries are keyed and the head has no MAC');
  }
  if (tree !== null && !equalBytes(head.range, tree.toBytes())) {
    findings.add('head-tree', null, null, 'the head states another tree than the entries give');
  }
}
