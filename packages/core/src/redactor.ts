import { AuditError } from './audit-error.js';
import { isCardNumber } from './card-numbers.js';
import { type Concealment, createConcealment } from './concealment.js';
import type { JsonObject, JsonValue } from './event.js';
import { createNameJudge, type NameVerdict } from './field-names.js';
import { createMark, isMark, MARK_KEY, type MarkKind } from './mark.js';
import { createNameMemory } from './name-memory.js';
import { setOwn } from './own-property.js';
import { arePairs, secretItems, secretMembers } from './paired-values.js';
import { createPathTree, endsHere, followIndex, followKey, NO_PATHS, type PathNodes } from './path-tree.js';
import type { RedactionOptions } from './redaction.js';
import { createTextRedaction, type TextRedaction } from './text-redaction.js';
import { freeKey, MAX_DEPTH, toJson } from './to-json.js';

/** Takes secrets out of values before their bytes are made. */
export interface Redactor {
  /** Redacts the members of an object that stands at `root` of an event: `details`, `before`, `after`. Never changes the argument. */
  redact(value: JsonObject, root: string, resourceType?: string): JsonObject;
  /** Redacts one text field of an event, as `text('context', 'route', …)`; undefined where the mode removes it. */
  text(root: string, field: string, value: string): string | undefined;
  /** The same for a text that identifies something: where there is a key, a pseudonym keeps it apart from others. */
  identifier(root: string, field: string, value: string): string;
  /** True if the text holds something to redact. */
  finds(text: string): boolean;
  /** What stands in the place of an identifier that is a secret. */
  conceal(identifier: string): string;
  /** What the mode `hmac` stores for a value: to look it up. @throws AuditError `AUDIT_KEY_MISSING` */
  pseudonym(value: string): string;
}

const MODES: readonly unknown[] = ['remove', 'mask', 'hmac'];

/** Where the walk is. `path` is kept for a custom redactor only. */
interface Place {
  readonly nodes: PathNodes;
  readonly path: readonly string[];
  readonly depth: number;
  readonly nesting: number;
}

/**
 * Fails closed: where redacting a value throws, the value is masked.
 *
 * @param pseudonymKey the subkey for pseudonyms, 32 bytes
 * @throws AuditError `AUDIT_KEY_MISSING` for the mode `hmac` without a key, `AUDIT_CONFIG_INVALID` for options of the
 * wrong form
 */
export function createRedactor(options: RedactionOptions = {}, pseudonymKey?: Uint8Array): Redactor {
  checkOptions(options);
  const { custom } = options;
  const detectValues = options.detectValues ?? true;
  const concealment: Concealment = createConcealment(options.mode ?? 'mask', pseudonymKey);
  const judge = createNameJudge(options.fields ?? [], options.allow ?? []);
  const pathTree = createPathTree(options.paths ?? []);
  const fieldsAreOpen = custom === undefined && !options.fields?.length && !options.paths?.length;
  const know = createNameMemory(judge, redactKey);

  const redactText = createTextRedaction({
    detectValues,
    isSecretName: (name) => isSecretName(name),
    replace: concealment.text,
    redactParsed: (value, nesting) => walk(value, { nodes: NO_PATHS, path: [], depth: 0, nesting }),
  });

  const redactIdentifier = createTextRedaction({
    detectValues,
    isSecretName: () => false,
    replace: concealment.text,
    redactParsed: (value, nesting) => walk(value, { nodes: NO_PATHS, path: [], depth: 0, nesting }),
  });

  /** A body that was parsed as what it is not stands in a key as a whole: `{ 'password=…&user=ada': '' }`. */
  function redactKey(name: string): string {
    if (name.length < 12) return name;
    if (name.includes('=') || name.includes('{')) return redactText(name, 0);
    return detectValues ? redactIdentifier(name, 0) : name;
  }

  const isSecretName = (name: string) => know(name).verdict !== 'open';

  function walk(value: JsonValue, place: Place): JsonValue {
    if (typeof value === 'string') return redactText(value, place.nesting);
    if (typeof value === 'number') {
      const isCard =
        detectValues && value >= 1e12 && Number.isSafeInteger(value) && isCardNumber(String(value));
      return isCard ? concealment.item(value) : value;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (place.depth > MAX_DEPTH) return createMark('depth');
    if (isItems(value)) return walkItems(value, place);
    return isMark(value) ? walkMark(value, place) : walkMembers(value, place);
  }

  function walkItems(items: readonly JsonValue[], place: Place): JsonValue {
    const secrets = secretItems(items, isSecretName);
    const isList = Array.isArray(items[0]) && arePairs(items);
    let out: JsonValue[] | undefined = custom === undefined ? undefined : [];
    for (let index = 0; index < items.length; index++) {
      const item = items[index] as JsonValue;
      const inner = custom === undefined && place.nodes.length === 0 ? deeper(place) : atIndex(place, index);
      const redacted = secrets?.has(index)
        ? concealment.item(item)
        : isList && isItems(item) && isSecretName(String(item[0]))
          ? walkPair(item, inner)
          : kept(visit(item, 'open', inner), item);
      if (out === undefined && redacted !== item) out = items.slice(0, index);
      out?.push(redacted);
    }
    return out ?? items;
  }

  function walkMembers(members: JsonObject, place: Place): JsonObject {
    const keys = Object.keys(members);
    const secrets = secretMembers(members, keys, isSecretName);
    let out: Record<string, JsonValue> | undefined = custom === undefined ? undefined : {};
    const inner = custom === undefined && place.nodes.length === 0 ? deeper(place) : undefined;
    for (let index = 0; index < keys.length; index++) {
      const name = keys[index] as string;
      const member = members[name] as JsonValue;
      const known = know(name);
      const verdict =
        known.verdict === 'open' && secrets.size > 0 && secrets.has(name) ? 'secret' : known.verdict;
      const redacted = visit(member, verdict, inner ?? atKey(place, name));
      if (out === undefined) {
        if (redacted === member && known.key === name) continue;
        out = {};
        for (const before of keys.slice(0, index)) setOwn(out, before, members[before] as JsonValue);
      }
      if (redacted !== undefined) {
        setOwn(out, known.key === name ? name : freeKey(out, known.key), redacted);
      }
    }
    return out ?? members;
  }

  function walkMark(mark: JsonObject, place: Place): JsonValue {
    const kind = mark[MARK_KEY] as MarkKind;
    const inner = deeper(place);
    const members: Record<string, JsonValue> = {};
    for (const name of Object.keys(mark)) {
      if (name === MARK_KEY) continue;
      const member = mark[name] as JsonValue;
      let redacted = kind === 'map' && name === 'entries' ? walkEntries(member, inner) : walk(member, inner);
      // What was cut in two may be half a secret, which no detector knows.
      if (kind === 'cut' && typeof redacted === 'string') redacted = redacted.slice(0, -HALF_SECRET);
      members[name] = redacted;
    }
    return Object.keys(members).length === 0 ? mark : createMark(kind, members);
  }

  function walkEntries(entries: JsonValue, place: Place): JsonValue {
    if (!isItems(entries)) return walk(entries, place);
    return entries.map((entry) =>
      isItems(entry) && entry.length === 2 ? walkPair(entry, place) : walk(entry, place),
    );
  }

  /** A name and its value. */
  function walkPair([key = null, value = null]: readonly JsonValue[], place: Place): JsonValue {
    const verdict = typeof key === 'string' ? know(key).verdict : 'open';
    return [walk(key, place), kept(visit(value, verdict, place), value)];
  }

  /** An item is not removed: the others would move up. */
  function kept(redacted: JsonValue | undefined, item: JsonValue): JsonValue {
    return redacted === undefined ? concealment.item(item) : redacted;
  }

  /** @returns undefined for what is removed */
  function visit(value: JsonValue, verdict: NameVerdict, place: Place): JsonValue | undefined {
    if (verdict === 'named' || (place.nodes.length > 0 && endsHere(place.nodes)))
      return concealment.value(value);
    if (verdict !== 'open' && holdsSecret(value, verdict)) return concealment.value(value);
    const redacted = walk(value, place);
    return custom === undefined ? redacted : applyCustom(custom, redacted, place);
  }

  function applyCustom(
    redact: NonNullable<RedactionOptions['custom']>,
    value: JsonValue,
    place: Place,
  ): JsonValue | undefined {
    try {
      if (typeof value === 'object' && value !== null) Object.freeze(value);
      const result = redact(value, place.path);
      if (result === undefined || result === value) return result as JsonValue | undefined;
      if (result instanceof Promise) result.catch(() => undefined);
      const isPromise = typeof result === 'object' && result !== null && 'then' in result;
      return isPromise ? concealment.value(value) : toJson(result);
    } catch {
      return concealment.value(value);
    }
  }

  function guarded(redaction: TextRedaction, text: string): string {
    try {
      return redaction(text, 0);
    } catch {
      return concealment.text(text);
    }
  }

  function field(root: string, name: string, value: string, redaction: TextRedaction): JsonValue | undefined {
    const nodes = followKey(followKey([pathTree], root), name);
    if (judge(name) === 'named' || endsHere(nodes)) return concealment.value(value);
    const redacted = guarded(redaction, value);
    if (custom === undefined) return redacted;
    return applyCustom(custom, redacted, { nodes, path: [root, name], depth: 0, nesting: 0 });
  }

  return Object.freeze({
    redact(value: JsonObject, root: string, resourceType?: string): JsonObject {
      const starts = followKey([pathTree], root);
      const nodes =
        root === 'before' || root === 'after'
          ? [
              ...starts,
              ...followKey(followKey([pathTree], 'change'), root),
              ...(resourceType === undefined ? [] : followKey([pathTree], resourceType)),
            ]
          : starts;
      try {
        const place = { nodes, path: [root], depth: 0, nesting: 0 };
        return isMark(value) ? (walkMark(value, place) as JsonObject) : walkMembers(value, place);
      } catch {
        return createMark('masked');
      }
    },
    text(root: string, name: string, value: string): string | undefined {
      if (fieldsAreOpen) return guarded(redactText, value);
      const redacted = field(root, name, value, redactText);
      return redacted === undefined || typeof redacted === 'string' ? redacted : concealment.text(value);
    },
    identifier(root: string, name: string, value: string): string {
      const redacted = fieldsAreOpen
        ? guarded(redactIdentifier, value)
        : field(root, name, value, redactIdentifier);
      return redacted === value ? value : concealment.identifier(value);
    },
    finds: (text: string) => guarded(redactText, text) !== text,
    conceal: concealment.identifier,
    pseudonym: concealment.pseudonym,
  });
}

/** In UTF-16 units: more than a card number, a key's line or a password has. */
const HALF_SECRET = 256;

/** What is true, false or null gives nothing away, and says whether a password is set. */
function holdsSecret(value: JsonValue, verdict: NameVerdict): boolean {
  if (value === null || typeof value === 'boolean') return false;
  return verdict !== 'counts' || typeof value !== 'number';
}

function deeper(place: Place): Place {
  return { nodes: NO_PATHS, path: place.path, depth: place.depth + 1, nesting: place.nesting };
}

function atKey(place: Place, key: string): Place {
  return { ...place, nodes: followKey(place.nodes, key), path: [...place.path, key], depth: place.depth + 1 };
}

function atIndex(place: Place, index: number): Place {
  return {
    ...place,
    nodes: followIndex(place.nodes, index),
    path: [...place.path, String(index)],
    depth: place.depth + 1,
  };
}

function isItems(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function checkOptions(options: RedactionOptions): void {
  for (const name of ['fields', 'paths', 'allow'] as const) {
    const list: unknown = options[name];
    if (
      list !== undefined &&
      !(Array.isArray(list) && list.every((item) => typeof item === 'string' && item !== ''))
    ) {
      throw invalid(`redaction.${name} takes an array of names`);
    }
  }
  if (options.mode !== undefined && !MODES.includes(options.mode)) {
    throw invalid('redaction.mode takes `remove`, `mask` or `hmac`');
  }
  if (options.custom !== undefined && typeof options.custom !== 'function') {
    throw invalid('redaction.custom takes a function');
  }
}

function invalid(message: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'core', message);
}
