import { AuditError } from './audit-error.js';
import { sha256 } from './sha256.js';
import { parseNote } from './signed-note.js';

/**
 * A place outside of the database that keeps checkpoints, and that whoever has the database and the keys does not have: a disk
 * elsewhere, object storage with a lock, somebody else's service.
 */
export interface Anchor {
  /** For messages and health. */
  readonly name: string;
  /**
   * Keeps a checkpoint. It MUST be durable once it resolves, MUST do nothing where these very bytes stand under the key, so that a
   * call whose answer was lost can be repeated, and MUST reject where others stand there.
   *
   * @param key ASCII, without anything that a path or an object's key could mistake
   * @param note the signed note
   */
  put(key: string, note: Uint8Array): Promise<void>;
}

/** Longer names of logs are hashed: a name of a file has at most 255 bytes. */
const MAX_NAME = 200;

/** Where an anchor keeps the checkpoint of a log at a size: `<log, percent-encoded>/<size, sixteen digits>.checkpoint`. */
export function anchorKey(log: string, size: number): string {
  const encoded = /\p{Surrogate}/u.test(log) ? null : encodeURIComponent(log).replace(/^\.+$/, '~$&');
  const isName = encoded !== null && encoded.length <= MAX_NAME;
  const name = isName ? encoded : `~${Buffer.from(sha256(Buffer.from(log, 'utf16le'))).toString('hex')}`;
  return `${name}/${String(size).padStart(16, '0')}.checkpoint`;
}

/** True if both notes sign the same text, by whichever keys. */
export function statesTheSame(one: Uint8Array, other: Uint8Array): boolean {
  try {
    return parseNote(one).text === parseNote(other).text;
  } catch {
    return false;
  }
}

/** An anchor holds something else than what the log is. @param what where and what */
export function anchorConflict(what: string): AuditError {
  return new AuditError('AUDIT_ANCHOR_CONFLICT', 'core', what);
}
