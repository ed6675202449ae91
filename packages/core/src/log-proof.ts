import { parseCheckpoint } from './checkpoint.js';
import { equalBytes } from './equal-bytes.js';
import { consistencyRanges, inclusionRanges, type LeafRange } from './merkle-proof.js';
import { CompactRange } from './merkle-tree.js';
import { checkpointRefused, rehashLog } from './rehash-log.js';
import { parseNote } from './signed-note.js';
import type { AuditStore } from './store.js';
import { SubtreeRoots } from './subtree-roots.js';

/**
 * The proof that an event stands in its log, as a text that can be kept beside it: a `.tlog-proof` that carries the event.
 *
 * Source: https://c2sp.org/tlog-proof
 *
 * @param note the signed checkpoint of a size beyond the index
 * @throws AuditError `AUDIT_PROOF_INVALID` if the checkpoint has no such index, `AUDIT_CHECKPOINT_REFUSED` if the entries are not those
 * of the checkpoint, `AUDIT_NOTE_INVALID`, and what the store throws
 */
export async function proveEvent(store: AuditStore, note: string, index: number): Promise<string> {
  const { origin, size } = parseCheckpoint(parseNote(note).text);
  let body: Uint8Array | null = null;
  const nodes = await readRoots(store, note, inclusionRanges(index, size), (at, found) => {
    if (at === index) body = found;
  });
  if (body === null) throw checkpointRefused(origin, `the entry ${index} is missing`);
  return [
    'c2sp.org/tlog-proof@v1',
    `extra ${Buffer.from(body).toString('base64')}`,
    `index ${index}`,
    ...nodes,
    '',
    note,
  ].join('\n');
}

/**
 * The proof that a log continues what it was, as a text: what a witness is sent.
 *
 * Source: https://c2sp.org/tlog-witness
 *
 * @param oldSize from 1 to the size of the checkpoint
 * @throws as `proveEvent`
 */
export async function proveContinuation(store: AuditStore, note: string, oldSize: number): Promise<string> {
  const { size } = parseCheckpoint(parseNote(note).text);
  const nodes = await readRoots(store, note, consistencyRanges(oldSize, size));
  return [`old ${oldSize}`, ...nodes, '', note].join('\n');
}

async function readRoots(
  store: AuditStore,
  note: string,
  ranges: readonly LeafRange[],
  onBody?: (index: number, body: Uint8Array) => void,
): Promise<readonly string[]> {
  const { origin, size, root } = parseCheckpoint(parseNote(note).text);
  const tree = new CompactRange();
  const roots = new SubtreeRoots(ranges);
  for await (const entries of rehashLog(store, origin, tree, size)) {
    for (const { index, leaf, event } of entries) {
      roots.add(leaf);
      onBody?.(index, event.body);
    }
  }
  if (!equalBytes(tree.root(), root))
    throw checkpointRefused(origin, 'the entries are not those of the checkpoint');
  return roots.roots().map((node) => Buffer.from(node).toString('base64'));
}
