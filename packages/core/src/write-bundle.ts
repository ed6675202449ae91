import { parseCheckpoint } from './checkpoint.js';
import { equalBytes } from './equal-bytes.js';
import { CompactRange } from './merkle-tree.js';
import { checkpointRefused, rehashLog } from './rehash-log.js';
import { parseNote } from './signed-note.js';
import type { AuditStore } from './store.js';
import { tarEnd, tarMember } from './tar.js';

/** Entries in one file of a bundle: what is held in memory. */
const FILE_ENTRIES = 4_096;
const FILE_BYTES = 8 << 20;
const NEWLINE = Buffer.from('\n');
const BRACE = 0x7b;

export interface BundleOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of a bundle, a tar archive that `@indelible/verifier` reads: all entries that a checkpoint states, and the checkpoint.
 * Each body is hashed again on its way, so that what comes out is never less than what was signed.
 *
 * @param note the signed checkpoint
 * @throws AuditError `AUDIT_CHECKPOINT_REFUSED` if the entries are not those of the checkpoint, `AUDIT_NOTE_INVALID`, what the store
 * throws, and the reason of the signal
 */
export async function* writeBundle(
  store: AuditStore,
  note: string,
  options: BundleOptions = {},
): AsyncGenerator<Uint8Array> {
  const { onProgress, signal } = options;
  const { origin, size, root } = parseCheckpoint(parseNote(note).text);
  yield* tarMember('indelible-bundle', [Buffer.from('indelible-bundle/1\n')]);
  yield* tarMember('checkpoint', [Buffer.from(note)]);
  const range = new CompactRange();
  let first = 0;
  let count = 0;
  let bytes = 0;
  let lines: Uint8Array[] = [];
  const file = () => {
    const member = tarMember(`entries/${String(first).padStart(12, '0')}.ndjson`, lines);
    first += count;
    [lines, count, bytes] = [[], 0, 0];
    return member;
  };
  for await (const batch of rehashLog(store, origin, range, size)) {
    signal?.throwIfAborted();
    for (const { event } of batch) {
      const line = lineOf(event.body);
      lines.push(line, NEWLINE);
      bytes += line.length + 1;
      count++;
      if (count >= FILE_ENTRIES || bytes >= FILE_BYTES) yield* file();
    }
    onProgress?.(first + count, size);
  }
  if (count > 0) yield* file();
  if (!equalBytes(range.root(), root))
    throw checkpointRefused(origin, 'the entries are not those of the checkpoint');
  yield tarEnd();
}

/** The body itself, or base64 where it could not stand on a line. */
function lineOf(body: Uint8Array): Uint8Array {
  if (body[0] === BRACE && !body.includes(0x0a)) return body;
  return Buffer.from(`=${Buffer.from(body).toString('base64')}`);
}
