import type { FindingCode } from './finding-codes.js';

/**
 * Every check of a verification, with the code that it reports. The meta-test switches off each in turn: a check without
 * a tampering that it alone finds would be one that nobody notices missing.
 */
export const CHECKS = {
  'body-hash': 'AUDIT_BODY_MISMATCH',
  'body-readable': 'AUDIT_EVENT_UNREADABLE',
  'body-log': 'AUDIT_LOG_MISMATCH',
  'body-id': 'AUDIT_COLUMN_MISMATCH',
  'row-log': 'AUDIT_LOG_MISMATCH',
  columns: 'AUDIT_COLUMN_MISMATCH',
  'entry-leaf': 'AUDIT_LEAF_MISMATCH',
  'entry-link': 'AUDIT_LINK_MISMATCH',
  'entry-gap': 'AUDIT_ENTRY_MISSING',
  'entry-cut': 'AUDIT_ENTRY_MISSING',
  'entry-repeated': 'AUDIT_ENTRY_DUPLICATE',
  'entry-out-of-order': 'AUDIT_ENTRY_UNEXPECTED',
  'entry-beyond-head': 'AUDIT_ENTRY_UNEXPECTED',
  'entry-time': 'AUDIT_TIME_SKEW',
  'event-there': 'AUDIT_EVENT_MISSING',
  'event-once': 'AUDIT_ENTRY_DUPLICATE',
  'head-there': 'AUDIT_HEAD_MISSING',
  'head-keyed': 'AUDIT_HEAD_UNKEYED',
  'head-mac': 'AUDIT_HEAD_INVALID',
  'head-link': 'AUDIT_HEAD_MISMATCH',
  'head-tree': 'AUDIT_TREE_MISMATCH',
  'checkpoint-note': 'AUDIT_CHECKPOINT_INVALID',
  'checkpoint-origin': 'AUDIT_CHECKPOINT_ORIGIN',
  'checkpoint-root': 'AUDIT_CHECKPOINT_MISMATCH',
  'checkpoint-ahead': 'AUDIT_CHECKPOINT_AHEAD',
  'pending-hash': 'AUDIT_PENDING_MISMATCH',
  'pending-stray': 'AUDIT_PENDING_STRAY',
  orphans: 'AUDIT_EVENT_ORPHANED',
} as const satisfies Record<string, FindingCode>;

export type Check = keyof typeof CHECKS;
