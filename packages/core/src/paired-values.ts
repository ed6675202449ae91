import type { JsonObject, JsonValue } from './event.js';

type IsSecret = (name: string) => boolean;

/** Members that name a field, as lists of changes and the errors of validators have them. */
const FIELD_KEYS = ['field', 'column', 'property', 'param', 'path', 'attribute', 'key', 'header', 'k'];
/** Members that hold what the field had, has or was sent. */
const VALUES: ReadonlySet<string> = new Set(
  (
    'value values val v old new oldValue newValue old_value new_value from to before after previous current received ' +
    'actual input'
  ).split(' '),
);
/** Members that name many other things too, and so speak for a plain value only. */
const NAME_KEYS = ['name', 'label'];
const PLAIN_VALUES: ReadonlySet<string> = new Set(['value', 'val']);
const NO_KEYS: ReadonlySet<string> = new Set();

const OPTION = /^--?(?=[A-Za-z])/;
/** Among words that are no headers these are too common to say anything. */
const HEADER = /^(?:authorization|cookie|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+)$/i;
const MAX_HEADER = 64;
const DASH = 45;
const MIN_KEY_LINE = 20;
const KEY_BEGIN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/;

/** The members of `{ name: 'password', value: … }`, `{ path: ['user', 'password'], received: … }` that hold the secret. */
export function secretMembers(
  members: JsonObject,
  keys: readonly string[],
  isSecret: IsSecret,
): ReadonlySet<string> {
  if (!holdsValue(keys)) return NO_KEYS;
  if (FIELD_KEYS.some((key) => names(members, key, isSecret))) return VALUES;
  return NAME_KEYS.some((key) => names(members, key, isSecret)) ? PLAIN_VALUES : NO_KEYS;
}

/** Most objects hold none and cost no more than this. */
function holdsValue(keys: readonly string[]): boolean {
  for (let index = 0; index < keys.length; index++) if (VALUES.has(keys[index] as string)) return true;
  return false;
}

function names(members: JsonObject, key: string, isSecret: IsSecret): boolean {
  const name = Object.hasOwn(members, key) ? members[key] : undefined;
  if (typeof name === 'string') return isSecret(name);
  return Array.isArray(name) && name.some((part) => typeof part === 'string' && isSecret(part));
}

/** True for `[['password', …], ['email', …]]`, as `Object.entries()` and headers are written. */
export function arePairs(items: readonly JsonValue[]): boolean {
  return items.every((item) => Array.isArray(item) && item.length === 2 && typeof item[0] === 'string');
}

/**
 * The items that are secret for what stands before them: what follows an option (`--password`, …) or a header's name in a
 * flat list of names and values, and the lines of a private key.
 */
export function secretItems(
  items: readonly JsonValue[],
  isSecret: IsSecret,
): ReadonlySet<number> | undefined {
  let found: Set<number> | undefined;
  const add = (index: number) => {
    found ??= new Set();
    found.add(index);
  };
  let inKey = false;
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (typeof item !== 'string') continue;
    if (inKey) add(index);
    if (item.length > MIN_KEY_LINE && item.includes('-----'))
      inKey = !item.includes('-----END ') && (inKey || KEY_BEGIN.test(item));
    else if (namesNext(items, index, item, isSecret)) add(index + 1);
  }
  return found;
}

function namesNext(items: readonly JsonValue[], index: number, item: string, isSecret: IsSecret): boolean {
  if (index + 1 >= items.length || item.length > MAX_HEADER) return false;
  if (item.charCodeAt(0) === DASH) return OPTION.test(item) && isSecret(item.replace(OPTION, ''));
  return index % 2 === 0 && items.length % 2 === 0 && HEADER.test(item) && isSecret(item);
}
