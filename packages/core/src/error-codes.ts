/** Every code that an `AuditError` can carry, with what it means and what to do next. The README's table is made from it. */
export const ERROR_CODES = {
  AUDIT_TABLES_MISSING: {
    means: 'The audit tables are not in the database.',
    next: 'Run `npx indelible migrate --url …`, or call `await audit.migrate()` when the application starts.',
  },
  AUDIT_SCHEMA_NEWER: {
    means: 'The audit tables were made by a newer version of Indelible.',
    next: 'Upgrade the @indelible packages to the version that migrated the database.',
  },
  AUDIT_STORE_UNAVAILABLE: {
    means:
      'The store can not be opened or written: a missing or read-only file, a full disk, a lost connection.',
    next: 'Read `cause`; events follow the failure policy of their category until the store is back.',
  },
  AUDIT_STORE_TIMEOUT: {
    means: 'The store did not answer in time.',
    next: 'Look for a transaction that holds the database open; `storeTimeoutMs` sets the limit.',
  },
  AUDIT_STORE_ELSEWHERE: {
    means: 'The audited ORM and the store use different databases, so events can not join its transactions.',
    next: "Give the audit the database of the ORM, leave the store out so that it is found by itself, or set `relay: 'own'`, which brings events there through an outbox in the ORM's database.",
  },
  AUDIT_DRIVER_CONFLICT: {
    means: 'Two SQLite libraries in one process would open the same file, which can corrupt it.',
    next: 'Let the store use the driver of the ORM: leave `driver` out, or name the same library.',
  },
  AUDIT_DRIVER_MISSING: {
    means: 'The database driver or the store package is not installed.',
    next: 'Install the package that the message names.',
  },
  AUDIT_DATABASE_UNSUPPORTED: {
    means: 'This database or driver adapter can not be audited.',
    next: 'See the table of supported databases in the README of the package.',
  },
  AUDIT_ID_CONFLICT: {
    means: 'An event with this id is stored already with other contents.',
    next: 'Leave `id` out, or retry with the very same event.',
  },
  AUDIT_INSERT_ONLY: {
    means: 'Something tried to change or delete what the log holds.',
    next: 'Nothing: the database refused it. Find out who tried.',
  },
  AUDIT_HEAD_INVALID: {
    means: "The log's head does not carry a valid MAC, so nothing may be sealed on top of it.",
    next: 'Check AUDIT_HMAC_KEY first; with the right key the head was altered: run `npx indelible verify`.',
  },
  AUDIT_KEY_WEAK: {
    means: 'The secret is shorter than 32 bytes.',
    next: 'Make one with `openssl rand -base64 48` and pass it as AUDIT_HMAC_KEY.',
  },
  AUDIT_KEY_MISSING: {
    means: 'Something that needs the secret was asked for, and none is configured.',
    next: 'Set AUDIT_HMAC_KEY or the option `hmacKey`.',
  },
  AUDIT_CONFIG_INVALID: {
    means: 'An option or an environment variable has a value that it can not have.',
    next: 'The message names the option and what it takes.',
  },
  AUDIT_EVENT_INVALID: {
    means: 'The event is not complete or a field has the wrong form.',
    next: 'The message names the field and what it takes.',
  },
  AUDIT_ACTION_UNKNOWN: {
    means: 'The action is not in the catalogue, and the catalogue is closed.',
    next: 'Add the action to `actions`, or correct its name.',
  },
  AUDIT_DETAILS_INVALID: {
    means: "The details do not fit the action's schema.",
    next: 'The message lists the issues that the schema found.',
  },
  AUDIT_ACTOR_MISSING: {
    means: 'No actor is known, and `onMissingActor` is `throw`.',
    next: 'Run the work inside `runWithContext({ actor }, fn)`, or give `auditContext()` an `actor` option.',
  },
  AUDIT_TENANT_MISMATCH: {
    means: 'Something that belongs to the request of one tenant names another one. Nothing was recorded.',
    next: 'Do it outside of the request, or let the `tenant` option answer undefined for requests that work for several tenants.',
  },
  AUDIT_CONTEXT_MISSING: {
    means: 'Something that needs the context of a request or a job was called outside of any.',
    next: 'Call it inside `runWithContext(context, fn)` or behind `auditContext()`.',
  },
  AUDIT_CONTEXT_FAILED: {
    means: 'A function that the application gave (`actor`, `tenant`, `record`, `resource`, `details`) threw.',
    next: 'Read `cause`; the event was recorded without its answer.',
  },
  AUDIT_NOT_EXACT: {
    means: 'The statement can not be captured exactly, and `strict` is on. Nothing was written.',
    next: 'Rewrite the statement, or exclude its table.',
  },
  AUDIT_RIGHTS_MISSING: {
    means: 'The role may not do this in the database.',
    next: 'The message names what it may not touch: run the command as a role that may, the owner of the tables say.',
  },
  AUDIT_CAPTURE_FAILED: {
    means: 'A row change could not be captured, so the change itself was refused.',
    next: 'Read `cause`.',
  },
  AUDIT_ORM_UNSUPPORTED: {
    means: 'This version of the ORM does not give the access that auditing needs.',
    next: 'Use a version from the peer range, or wrap the driver adapter yourself with `auditAdapter()`.',
  },
  AUDIT_TRANSACTION_UNKNOWN: {
    means: 'The transaction that was passed is not open on an audited client.',
    next: 'Pass the transaction object of the audited client, inside its callback.',
  },
  AUDIT_SPOOL_FULL: {
    means: 'The spool has reached its limit.',
    next: 'Bring the store back, or raise `spool.maxBytes` or `spool.maxEvents`.',
  },
  AUDIT_SPOOL_UNAVAILABLE: {
    means: 'The spool can not be written.',
    next: 'Give `spool.directory` a writable directory.',
  },
  AUDIT_SPOOL_DAMAGED: {
    means:
      'A spool file holds bytes that are no whole record. At its end that is a write cut short by a crash, which nobody was promised; anywhere else events were lost.',
    next: 'Nothing after a crash. Otherwise find out what wrote to the spool; the file is kept beside it as `.damaged`.',
  },
  AUDIT_EVENT_LOST: {
    means: 'An event could be kept nowhere. The log gets an `audit.gap` with the number lost.',
    next: 'Read `cause`; the policy `strict` refuses the operation instead.',
  },
  AUDIT_ACTOR_FAILED: {
    means: 'The actor function threw or did not answer. The event is recorded with the tag `actor-failed`.',
    next: 'Read `cause`, and correct the `actor` option.',
  },
  AUDIT_LOGS_EXCEEDED: {
    means:
      'Events of more tenants than `maxLogs` were recorded by one process. Those of further ones go to the log `<origin>/~overflow`; none is lost.',
    next: 'Find out whether the tenant comes from a request unchecked; raise `maxLogs` where there are so many.',
  },
  AUDIT_SEALED_ELSEWHERE: {
    means: "This process was asked to seal, and `sealing: 'external'` says that another one does.",
    next: 'Run `npx indelible seal --watch` where the key is.',
  },
  AUDIT_EVENT_REFUSED: {
    means: 'A pending event is not what was appended, so the sealer does not vouch for it. It stays pending.',
    next: 'Run `npx indelible verify`.',
  },
  AUDIT_CLOSED: {
    means: 'The audit was closed before this call.',
    next: 'Record before `audit.close()`, or configure a new audit.',
  },
  AUDIT_PROOF_INVALID: {
    means: 'A Merkle proof can not be made or checked for these sizes or indexes.',
    next: 'Check the sizes and the index.',
  },
  AUDIT_CHECKPOINT_REFUSED: {
    means:
      'The log is not what its head, its bodies or its last checkpoint say, so no checkpoint of it is signed.',
    next: 'Run `npx indelible verify`: the log was altered.',
  },
  AUDIT_ANCHOR_FAILED: {
    means:
      'A checkpoint could not be kept by an anchor. It stands in the store, and the next one is tried again.',
    next: 'Read `cause`.',
  },
  AUDIT_ANCHOR_CONFLICT: {
    means:
      'An anchor holds another checkpoint of this log and size: the log was put back or rewritten, or two logs share a name.',
    next: 'Run `npx indelible verify` with the checkpoints that the anchor holds, before anything is recorded.',
  },
  AUDIT_NOTE_INVALID: {
    means: 'A signed note, a checkpoint or a verifier key has not the form that it must have.',
    next: 'Compare it with its source, byte by byte.',
  },
  AUDIT_SIGNATURE_INVALID: {
    means:
      'A signed note carries no signature of a trusted key, or one that does not verify, or a signer made none.',
    next: 'Check the key first; with the right key the note is not what was signed.',
  },
  AUDIT_NOT_FOUND: {
    means: 'There is no such event.',
    next: 'Check the id.',
  },
} as const satisfies Record<string, { means: string; next: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
