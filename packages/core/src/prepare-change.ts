import { changedFields } from './compare.js';
import {
  type Change,
  type ChangeInput,
  FIDELITIES,
  type JsonObject,
  type JsonValue,
  type Operation,
} from './event.js';
import { EVENT_LIMITS } from './event-limits.js';
import { invalidEvent, shortenIdentifier } from './event-text.js';
import type { Redactor } from './redactor.js';
import { toJson } from './to-json.js';

const OPERATIONS: readonly Operation[] = [
  'create',
  'update',
  'delete',
  'read',
  'link',
  'unlink',
  'soft_delete',
  'restore',
  'truncate',
  'execute',
];
const OPERATION_SET: ReadonlySet<unknown> = new Set(OPERATIONS);
const FIDELITY_SET: ReadonlySet<unknown> = new Set(FIDELITIES);

/** What of the configuration values are made JSON with. */
export interface ValueSettings {
  readonly redactor: Redactor;
  readonly maxEventBytes: number;
  readonly maxBinaryBytes: number;
}

/** A change without its secrets, beside the values that it was made from. */
export interface ChangeWithSource {
  readonly prepared: Change;
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
}

/** @throws AuditError `AUDIT_EVENT_INVALID` */
export function prepareChange(
  change: ChangeInput | undefined,
  resourceType: string | undefined,
  settings: ValueSettings,
): ChangeWithSource | undefined {
  if (change === undefined || change === null) return undefined;
  if (typeof change !== 'object') throw invalidEvent('change', 'an object');
  if (!OPERATION_SET.has(change.operation)) {
    throw invalidEvent('change.operation', `one of ${OPERATIONS.join(', ')}`);
  }
  if (!FIDELITY_SET.has(change.fidelity)) {
    throw invalidEvent('change.fidelity', `one of ${FIDELITIES.join(', ')}`);
  }
  const before = change.before == null ? undefined : prepareMembers('change.before', change.before, settings);
  const after = change.after == null ? undefined : prepareMembers('change.after', change.after, settings);
  const { redactor } = settings;
  const prepared: { -readonly [K in keyof Change]: Change[K] | undefined } = {
    after: after && redactor.redact(after, 'after', resourceType),
    before: before && redactor.redact(before, 'before', resourceType),
    fidelity: change.fidelity,
    fields: prepareFields(change.fields, before, after),
    operation: change.operation,
  };
  return { prepared: prepared as Change, before, after };
}

/** Makes an object's members JSON, no more of them than an event could hold. */
export function prepareMembers(field: string, object: unknown, settings: ValueSettings): JsonObject {
  const json =
    typeof object === 'object' && object !== null && !Array.isArray(object)
      ? toJson(object, {
          maxBinaryBytes: settings.maxBinaryBytes,
          maxNodes: settings.maxEventBytes,
          maxStringLength: settings.maxEventBytes,
          maxTextLength: settings.maxEventBytes * 4,
          isSecretText: settings.redactor.finds,
        })
      : null;
  if (!isMembers(json)) throw invalidEvent(field, 'an object');
  return json;
}

/**
 * True if the resource's id is the value of a field that was redacted: the key of a row must not give away what its
 * fields do not.
 */
export function concealsKey(change: ChangeWithSource, id: unknown): boolean {
  const { prepared, before, after } = change;
  return hasRedacted(before, prepared.before, String(id)) || hasRedacted(after, prepared.after, String(id));
}

function hasRedacted(source: JsonObject | undefined, redacted: JsonObject | undefined, id: string): boolean {
  if (source === undefined || redacted === undefined || source === redacted) return false;
  return Object.keys(source).some((key) => {
    const value = source[key];
    const isKey = (typeof value === 'string' || typeof value === 'number') && String(value) === id;
    return isKey && (!Object.hasOwn(redacted, key) || redacted[key] !== value);
  });
}

/** Computed before redaction, which makes different secrets alike. */
function prepareFields(
  fields: unknown,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): readonly string[] | undefined {
  if (fields === undefined || fields === null) {
    return before === undefined || after === undefined ? undefined : changedFields(before, after);
  }
  if (!Array.isArray(fields)) throw invalidEvent('change.fields', 'an array of strings');
  return fields.map((field: unknown) => {
    if (typeof field !== 'string') throw invalidEvent('change.fields', 'an array of strings');
    return shortenIdentifier(field, EVENT_LIMITS.field);
  });
}

function isMembers(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
