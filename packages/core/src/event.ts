/** Who acted. `onBehalfOf` keeps the other identity while somebody impersonates. */
export interface Actor {
  readonly type: 'user' | 'service' | 'system' | 'api_key' | 'anonymous';
  readonly id: string;
  readonly email?: string;
  readonly role?: string;
  readonly onBehalfOf?: Actor;
}

/** What was acted on. A composite key is the canonical JSON of its parts. */
export interface Resource {
  readonly type: string;
  readonly id: string;
}

export const CATEGORIES = [
  'auth',
  'access',
  'data',
  'admin',
  'billing',
  'security',
  'request',
  'system',
] as const;
export type Category = (typeof CATEGORIES)[number];

export const OUTCOMES = ['success', 'failure', 'denied'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** How much of a change could be captured. */
export const FIDELITIES = ['exact', 'after-only', 'count-only', 'opaque'] as const;
export type Fidelity = (typeof FIDELITIES)[number];

export type Operation =
  | 'create'
  | 'update'
  | 'delete'
  | 'read'
  | 'link'
  | 'unlink'
  | 'soft_delete'
  | 'restore'
  | 'truncate'
  | 'execute';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** The before and after of one row, in the words of the ORM. */
export interface Change {
  readonly operation: Operation;
  /** An update holds the changed fields only, unless `snapshot: 'full'`; a delete all of the row. */
  readonly before?: JsonObject;
  /** An update holds the changed fields only, unless `snapshot: 'full'`; a create all of the row. */
  readonly after?: JsonObject;
  /** The names of the fields that changed; of a read, those by which its rows are told. */
  readonly fields?: readonly string[];
  readonly fidelity: Fidelity;
}

/** What surrounds the events of one request or job. */
export interface EventContext {
  readonly tenant?: string;
  readonly ip?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
  readonly sessionId?: string;
  readonly correlationId?: string;
  readonly traceId?: string;
  /** Where the event came from: `http`, `job`, `cli`, … */
  readonly source?: string;
  readonly method?: string;
  readonly route?: string;
  readonly status?: number;
  readonly durationMs?: number;
  readonly transactionId?: string;
}

/** One thing that happened, as it stands in the stored bytes. */
export interface AuditEvent {
  readonly v: 1;
  /** UUIDv7. */
  readonly id: string;
  /** The log that the event belongs to, so that one that is still pending can not be moved to another. */
  readonly log: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** `resource.verb` */
  readonly action: string;
  readonly category: Category;
  readonly actor: Actor;
  readonly resource?: Resource;
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly change?: Change;
  readonly context: EventContext;
  readonly details?: JsonObject;
  readonly tags?: readonly string[];
  /** 16 random bytes in base64: a leaf that outlives its body confirms no guess. */
  readonly salt: string;
}

/** What a caller says about an event; everything else is filled in from the context and the catalogue. */
export interface EventInput {
  readonly action: string;
  /** @default the category of the action in the catalogue, else `data` for row changes, `system` for what the system does and `access` for what anybody else does */
  readonly category?: Category;
  /** @default the actor of the context, else `{ type: 'system', id: 'unknown' }` */
  readonly actor?: Actor;
  readonly resource?: Resource;
  /** @default 'success' */
  readonly outcome?: Outcome;
  readonly reason?: string;
  readonly change?: ChangeInput;
  /** Merged over the ambient context. */
  readonly context?: EventContext;
  /** Any values: they are made JSON, redacted and cut as the audit is configured. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly tags?: readonly string[];
  /** One more than a day from now becomes the finding `AUDIT_TIME_SKEW`. @default now */
  readonly time?: Date;
  /** UUIDv7, lower case: the key of a retry. @default a fresh one */
  readonly id?: string;
}

/** A change whose values are not JSON yet. */
export interface ChangeInput {
  readonly operation: Operation;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  readonly fields?: readonly string[];
  readonly fidelity: Fidelity;
}

/** The columns beside the body. Each is derived from the body, and verification derives it again. */
export interface EventColumns {
  readonly time: string;
  readonly action: string;
  readonly category: string;
  readonly outcome: string;
  readonly actorType: string;
  readonly actorId: string;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
  readonly tenant: string | null;
  readonly requestId: string | null;
  readonly transactionId: string | null;
  readonly ip: string | null;
}

/** An event whose bytes are made: what a store appends. */
export interface PreparedEvent {
  readonly id: string;
  readonly log: string;
  readonly category: Category;
  /** UTF-8 JSON (RFC 8785), stored and hashed verbatim. */
  readonly body: Uint8Array;
  /** SHA-256(0x00 ‖ body), 32 bytes. */
  readonly leaf: Uint8Array;
  readonly columns: EventColumns;
}
