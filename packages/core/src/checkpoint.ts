import { isSize } from './merkle-tree.js';
import { noteInvalid, tryBase64 } from './note-key.js';

/** What a checkpoint says: at this size the tree of this log has this root. */
export interface Checkpoint {
  /** The name of the log. */
  readonly origin: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Further lines, which mean nothing here. */
  readonly extensions?: readonly string[];
}

/**
 * The text of a checkpoint, which is what is signed.
 *
 * Source: https://c2sp.org/tlog-checkpoint
 *
 * @throws AuditError `AUDIT_NOTE_INVALID` for what can not stand in one
 */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const { origin, size, root, extensions = [] } = checkpoint;
  const text = `${[origin, String(size), Buffer.from(root).toString('base64'), ...extensions].join('\n')}\n`;
  const read = parseCheckpoint(text);
  if (read.extensions?.length !== extensions.length) {
    throw noteInvalid('a line of the checkpoint has a line break');
  }
  return text;
}

/** @throws AuditError `AUDIT_NOTE_INVALID` for what is no checkpoint, or one of more than 2^53 - 1 entries */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  const [origin = '', size = '', encoded = '', ...extensions] = lines.slice(0, -1);
  const root = tryBase64(encoded);
  const number = /^(?:0|[1-9][0-9]*)$/.test(size) ? Number(size) : Number.NaN;
  if (!text.endsWith('\n') || origin === '' || !isSize(number) || root?.length !== 32) {
    throw noteInvalid('this is no checkpoint: an origin, a size and a root of 32 bytes, each on its line');
  }
  if (extensions.includes('')) throw noteInvalid('the checkpoint has an empty line');
  return { origin, size: number, root: Uint8Array.from(root), extensions };
}
