/** Everything that verification can hold against a log. The README's table is made from it. */
export const FINDING_CODES = {
  AUDIT_BODY_MISMATCH: "The stored bytes do not hash to the event's leaf: the body was altered.",
  AUDIT_LEAF_MISMATCH: 'The leaf of the entry and that of the event differ.',
  AUDIT_COLUMN_MISMATCH: 'A query column says something else than the body.',
  AUDIT_LINK_MISMATCH: 'The link does not follow from the entry and the one before it.',
  AUDIT_ENTRY_MISSING: 'An index is missing: an entry was deleted, or the tail was cut.',
  AUDIT_ENTRY_DUPLICATE: 'An event has more than one entry.',
  AUDIT_ENTRY_UNEXPECTED: 'There are more entries than the head vouches for.',
  AUDIT_EVENT_MISSING: 'An entry names an event that is not there.',
  AUDIT_EVENT_ORPHANED: 'An event is neither pending nor an entry.',
  AUDIT_EVENT_UNREADABLE: 'The stored bytes are not the JSON of an event.',
  AUDIT_PENDING_STRAY: 'The waiting list names an event that is not there or is sealed already.',
  AUDIT_PENDING_MISMATCH: 'An event that still waits does not hash to its leaf.',
  AUDIT_LOG_MISMATCH: 'The event belongs to another log.',
  AUDIT_HEAD_MISSING: 'The log has entries and no head.',
  AUDIT_HEAD_INVALID: "The head's MAC is wrong: the head was altered, or the key is another one.",
  AUDIT_HEAD_UNKEYED: 'The head carries no MAC where one is required.',
  AUDIT_HEAD_MISMATCH: 'The head states another last link than the entries give.',
  AUDIT_TREE_MISMATCH: 'The head states another tree than the entries give.',
  AUDIT_CHECKPOINT_INVALID: 'A stored checkpoint is not what was signed, or not by the key that signs.',
  AUDIT_CHECKPOINT_ORIGIN: 'A checkpoint is of another log.',
  AUDIT_CHECKPOINT_AHEAD:
    'The log is smaller than a checkpoint of it: its end was cut, or an older state was put back.',
  AUDIT_CHECKPOINT_MISMATCH: 'The log has another root than a checkpoint of it states: it was rewritten.',
  AUDIT_TIME_SKEW: "The event's time is far from the time of its sealing.",
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof FINDING_CODES;
