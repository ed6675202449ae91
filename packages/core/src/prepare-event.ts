import { AuditError } from './audit-error.js';
import type { Catalogue } from './catalogue.js';
import { deriveColumns } from './columns.js';
import type { AmbientContext } from './context-provider.js';
import {
  type Actor,
  type AuditEvent,
  CATEGORIES,
  type Category,
  type EventInput,
  type JsonObject,
  OUTCOMES,
  type Outcome,
  type PreparedEvent,
} from './event.js';
import { EVENT_LIMITS, MAX_TAGS } from './event-limits.js';
import { invalidEvent, plainText } from './event-text.js';
import { encodeEvent } from './fit-event.js';
import { hashLeaf } from './leaf.js';
import { logName } from './log-name.js';
import { prepareActor, prepareResource } from './prepare-actor.js';
import { concealsKey, prepareChange, prepareMembers } from './prepare-change.js';
import { prepareContext } from './prepare-context.js';
import { concealRead, concealsRead } from './prepare-read.js';
import { randomPool, takeRandom } from './random-pool.js';
import type { Redactor } from './redactor.js';
import { createUuidV7, isUuidV7 } from './uuid.js';

/** What surrounds an event, once its actor is known. */
export interface Surroundings {
  readonly context: Omit<AmbientContext, 'actor'>;
  readonly actor: Actor | undefined;
}

/** What of an audit's configuration goes into an event's bytes. */
export interface PrepareSettings {
  readonly origin: string;
  /** Names the log of a tenant. @default a log for each, without a limit */
  readonly logs?: { of(tenant: string | undefined): string };
  readonly redactor: Redactor;
  /** At least `MIN_EVENT_BYTES`. */
  readonly maxEventBytes: number;
  readonly maxBinaryBytes: number;
  readonly onMissingActor: 'system' | 'throw';
  readonly catalogue: Catalogue;
}

const SALT_BYTES = 16;
const CATEGORY_SET: ReadonlySet<unknown> = new Set(CATEGORIES);
const OUTCOME_SET: ReadonlySet<unknown> = new Set(OUTCOMES);
const ACTION = /^[^\s.\p{Cc}]+(?:\.[^\s.\p{Cc}]+)+$/u;

/**
 * Makes the bytes of an event: fills in what is missing, checks each field, makes the values JSON, redacts them and cuts
 * them to fit. Neither the input nor anything in it is changed. Details are not checked against the action's schema
 * here, see `validateDetails`.
 *
 * @throws AuditError `AUDIT_EVENT_INVALID`, `AUDIT_ACTION_UNKNOWN`, `AUDIT_ACTOR_MISSING`, `AUDIT_TENANT_MISMATCH`
 */
export function prepareEvent(
  given: EventInput,
  { context: ambient, actor: surrounding }: Surroundings,
  settings: PrepareSettings,
): PreparedEvent {
  if (typeof given !== 'object' || given === null) throw invalidEvent('action', '`resource.verb`');
  const { redactor } = settings;
  const isConcealed = concealsRead(given.change, given.resource?.type, redactor);
  const input = isConcealed ? concealRead(given, redactor) : given;
  const known = resolveCategory(input, settings.catalogue);
  const context = prepareContext(input.context, ambient, redactor);
  const actor = prepareActor(input.actor ?? surrounding, settings.onMissingActor, redactor);
  // Whoever is not the system got at something: nobody would look for that among what the system does.
  const category = known ?? (actor.type === 'system' ? 'system' : 'access');
  const resource = prepareResource(input.resource, redactor);
  const change = prepareChange(input.change, resource?.type, settings);
  const id = input.id === undefined ? createUuidV7() : checkId(input.id);
  const salt = takeRandom(SALT_BYTES);
  // In the order of canonical JSON, which then has nothing to sort.
  const draft: { -readonly [K in keyof AuditEvent]: AuditEvent[K] | undefined } = {
    action: input.action,
    actor,
    category,
    change: change?.prepared,
    context,
    details: prepareDetails(input.details, settings),
    id,
    log: settings.logs?.of(context.tenant) ?? logName(settings.origin, context.tenant),
    outcome: checkOutcome(input.outcome),
    reason: plainText(redactor, 'event', 'reason', input.reason, 'reason'),
    resource:
      resource !== undefined && change !== undefined && concealsKey(change, input.resource?.id)
        ? { id: redactor.conceal(String(input.resource?.id)), type: resource.type }
        : resource,
    salt: randomPool.toString('base64', salt, salt + SALT_BYTES),
    tags: prepareTags(input.tags, redactor),
    time: isoTime(input.time),
    v: 1,
  };
  const { event, body } = encodeEvent(draft as AuditEvent, settings.maxEventBytes);
  return { id, log: event.log, category, body, leaf: hashLeaf(body), columns: deriveColumns(event) };
}

/** Undefined for an action that nobody has put into a category. */
function resolveCategory(input: EventInput, catalogue: Catalogue): Category | undefined {
  const { action } = input;
  const known = typeof action === 'string' ? catalogue.tryGet(action) : undefined;
  if (known === undefined) {
    if (typeof action !== 'string' || action.length > EVENT_LIMITS.action || !ACTION.test(action)) {
      throw invalidEvent('action', `\`resource.verb\`, at most ${EVENT_LIMITS.action} characters`);
    }
    if (catalogue.closed && input.change === undefined) {
      throw new AuditError(
        'AUDIT_ACTION_UNKNOWN',
        'core',
        `the action ${JSON.stringify(action)} is not known`,
      );
    }
  }
  if (input.category === undefined) {
    return known?.category ?? (input.change === undefined ? undefined : 'data');
  }
  if (!CATEGORY_SET.has(input.category)) throw invalidEvent('category', `one of ${CATEGORIES.join(', ')}`);
  return input.category;
}

function checkId(id: string): string {
  if (!isUuidV7(id)) throw invalidEvent('id', 'a UUIDv7 in lower case');
  return id;
}

function checkOutcome(outcome: Outcome | undefined): Outcome {
  if (outcome === undefined) return 'success';
  if (!OUTCOME_SET.has(outcome)) throw invalidEvent('outcome', `one of ${OUTCOMES.join(', ')}`);
  return outcome;
}

let lastTime = 0;
let lastIso = '';

function isoTime(time: Date | undefined): string {
  if (time !== undefined) {
    const ms = time instanceof Date ? time.getTime() : Number.NaN;
    const iso = Number.isNaN(ms) ? '' : new Date(ms).toISOString();
    if (iso.length !== 24) throw invalidEvent('time', 'a valid date of the years 0 to 9999');
    return iso;
  }
  const now = Date.now();
  if (now !== lastTime) {
    lastTime = now;
    lastIso = new Date(now).toISOString();
  }
  return lastIso;
}

function prepareDetails(details: unknown, settings: PrepareSettings): JsonObject | undefined {
  if (details === undefined || details === null) return undefined;
  return settings.redactor.redact(prepareMembers('details', details, settings), 'details');
}

function prepareTags(tags: unknown, redactor: Redactor): readonly string[] | undefined {
  if (tags === undefined || tags === null) return undefined;
  if (!Array.isArray(tags)) throw invalidEvent('tags', 'an array of strings');
  const texts = tags.slice(0, MAX_TAGS).map((tag: unknown, index) => {
    if (typeof tag !== 'string') throw invalidEvent('tags', 'an array of strings');
    return plainText(redactor, 'event', `tags.${index}`, tag, 'tag') ?? '';
  });
  if (tags.length > MAX_TAGS) texts[MAX_TAGS - 1] = '…';
  return texts;
}
