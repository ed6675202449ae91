import type { AuditKeys } from './keys.js';
import type { PublicSigner } from './note-signer.js';
import { runVerification } from './run-verification.js';
import type { AuditStore } from './store.js';
import type { Verdict } from './verdict.js';

/** What `verify` checks. */
export interface VerifyOptions {
  /** @default every log of the store */
  readonly log?: string;
  /** Called now and then with the number of entries done and, where known, the number in all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** At most so many findings are listed. @default 1_000 */
  readonly maxFindings?: number;
  /** How far an event's time may be from its sealing, unless it waited in a spool. @default 24 hours */
  readonly maxSkewMs?: number;
}

export interface VerifyLogOptions extends Omit<VerifyOptions, 'log'> {
  /** The keys that the log is sealed with. Without them a log that needs none is checked, and no other. */
  readonly keys?: AuditKeys | undefined;
  /** The index from which on entries must be keyed. @default 0 */
  readonly keyedFrom?: number | undefined;
  /** Who signs the checkpoints that the store keeps. @default their signatures are not checked */
  readonly signer?: PublicSigner | undefined;
}

/**
 * Verifies one log: hashes every body, derives every column again, follows the links, rebuilds the tree and compares the
 * head. It reads in batches, in constant memory but for 12 to 36 bytes an entry, and lets the event loop run meanwhile.
 * What is sealed while it runs is left to the next verification.
 *
 * @throws only what the store throws, and TypeError for options of the wrong type; whatever is wrong with the log is a
 * finding
 */
export async function verifyLog(
  store: AuditStore,
  log: string,
  options: VerifyLogOptions = {},
): Promise<Verdict> {
  if (typeof log !== 'string' || log === '') throw new TypeError('the log to verify is named by a string');
  return runVerification(store, log, options, new Set());
}
