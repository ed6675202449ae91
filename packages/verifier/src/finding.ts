/**
 * Everything that can be held against a bundle, a proof or a checkpoint. Codes that begin with AUDIT_ mean what they mean for
 * `indelible verify`; those that begin with BUNDLE_ are about the file.
 */
export const FINDINGS = {
  AUDIT_NOTE_INVALID: 'A checkpoint has not the form that it must have.',
  AUDIT_SIGNATURE_INVALID:
    'The checkpoint carries no signature of a trusted key, or one that does not verify.',
  AUDIT_CHECKPOINT_ORIGIN: 'The checkpoint is of another log than the policy asks for.',
  POLICY_SIZE: 'The log is smaller than the policy says that it is at least.',
  POLICY_QUORUM: 'Too few of the trusted witnesses have cosigned the checkpoint.',
  AUDIT_CHECKPOINT_AHEAD:
    'The log is smaller than a checkpoint that the auditor holds: its end was cut, or an older state is shown.',
  AUDIT_CHECKPOINT_MISMATCH:
    'The log does not continue a checkpoint that the auditor holds: it was rewritten.',
  AUDIT_TREE_MISMATCH: 'The entries do not give the root that the checkpoint states.',
  AUDIT_ENTRY_MISSING: 'There are fewer entries than the checkpoint states.',
  AUDIT_ENTRY_UNEXPECTED: 'There are more entries than the checkpoint states.',
  AUDIT_ENTRY_DUPLICATE: 'An event stands in the log more than once.',
  AUDIT_EVENT_UNREADABLE: 'The bytes of an entry are not the JSON of an event.',
  AUDIT_LOG_MISMATCH: 'An event belongs to another log.',
  AUDIT_PROOF_INVALID:
    'The proof does not lead from the event, or the earlier checkpoint, to the root of the checkpoint.',
  BUNDLE_NOT_GZIP: 'The file can not be decompressed: it was cut or altered.',
  BUNDLE_NOT_TAR: 'The file is no plain tar archive, or a header in it is altered.',
  BUNDLE_TRUNCATED: 'The file ends before its archive does.',
  BUNDLE_TRAILING: 'Something stands behind the end of the archive.',
  BUNDLE_MEMBER_KIND: 'The archive holds a link, a directory, a device or an extended header.',
  BUNDLE_MEMBER_UNKNOWN:
    'The archive holds a file that does not belong into it, or not in this place, or twice.',
  BUNDLE_MEMBER_LARGE: 'A file in the archive is larger than it can be.',
  BUNDLE_VERSION: 'The bundle is of a version that this verifier does not know.',
  BUNDLE_LINE: 'A line of a file in the bundle has not the form that it must have.',
} as const satisfies Record<string, string>;

export type FindingCode = keyof typeof FINDINGS;

/** One thing that is held against what was verified. */
export interface Finding {
  readonly code: FindingCode;
  /** The entry that it is about, or null where it is about the whole. */
  readonly index: number | null;
  readonly detail: string;
}

/** Ends a verification: what comes behind can not be read any more. */
export class Refused extends Error {
  constructor(readonly finding: Finding) {
    super(finding.detail);
  }
}

export function refuse(code: FindingCode, detail: string, index: number | null = null): Refused {
  return new Refused({ code, index, detail });
}
