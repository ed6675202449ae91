export { type Anchor, anchorKey } from './anchor.js';
export * from './audit.js';
export * from './audit-error.js';
export * from './built-in-actions.js';
export { canonicalize } from './canonical-json.js';
export * from './catalogue.js';
export * from './checkpoint.js';
export type * from './checkpoint-store.js';
export { deriveColumns } from './columns.js';
export * from './compare.js';
export { isRedacted } from './concealment.js';
export * from './context-provider.js';
export { createAudit, type TypedAuditOptions } from './create-audit.js';
export * from './create-relay.js';
export { configureAudit, getAudit, tryGetAudit } from './default-audit.js';
export * from './error-codes.js';
export * from './event.js';
export { EVENT_LIMITS, MAX_ACTORS, MAX_TAGS, MIN_EVENT_BYTES } from './event-limits.js';
export { createFileAnchor, type FileAnchorOptions } from './file-anchor.js';
export * from './finding-codes.js';
export { registerFlusher } from './flushers.js';
export * from './health.js';
export type { KeyedFrom } from './keyed-from.js';
export { type AuditKeys, deriveKeys } from './keys.js';
export { bytesDigest, startOfText } from './large-values.js';
export { hashLeaf } from './leaf.js';
export { logName } from './log-name.js';
export { type LogCount, overflowLog } from './log-names.js';
export { proveContinuation, proveEvent } from './log-proof.js';
export * from './make-checkpoint.js';
export { MARK_KEY, type MarkKind, tryGetMarkKind } from './mark.js';
export { createMemoryStore } from './memory-store.js';
export * from './merkle-proof.js';
export { CompactRange, hashChildren } from './merkle-tree.js';
export { createNoteKey, formatNoteKey, type NoteKey, type NoteKeyType, parseNoteKey } from './note-key.js';
export * from './note-signer.js';
export { openStore } from './open-store.js';
export { type OperationProof, proveOperation, type ToldOperation, vouchFor } from './operation.js';
export type * from './outbox.js';
export { countFitting, FittingPages, PAGE_ROOM, type PageQuery, type PageRoom } from './page-room.js';
export { type Look, PendingPositions } from './pending-position.js';
export { describeSealBatch, type PortableSealOptions } from './portable-seal.js';
export { readBody } from './read-body.js';
export * from './redaction.js';
export { createRedactor, type Redactor } from './redactor.js';
export { createSealBatch, type SealBatchOptions } from './seal-batch.js';
export {
  type NoteSignature,
  openNote,
  parseNote,
  type SignedNote,
  type VerifiedSignature,
} from './signed-note.js';
export { createStandIn, type StandInOptions } from './stand-in.js';
export * from './standard-schema.js';
export * from './store.js';
export { type ToJsonOptions, toJson } from './to-json.js';
export * from './transaction-carrier.js';
export * from './typed-record.js';
export * from './uuid.js';
export * from './verdict.js';
export { type VerifyAllOptions, verifyAll } from './verify-all.js';
export * from './verify-log.js';
export { type BundleOptions, writeBundle } from './write-bundle.js';
