const PASSWORD = /passw|passphrase|passcode|pwd|^pass$|^(?:current|new|old)?pin$|^t?otp(?:code)?$|^mfacode$/;
const IDENTITY =
  /^(?:identity|identifier|e?mail|emailaddress|user|username|userid|login|loginname|phone|phonenumber|handle)$/;
const MAX_DEPTH = 16;

/** True for the name of a field that holds a password or a one-time code, in any case style. */
export function isPasswordField(name: string): boolean {
  return PASSWORD.test(plainName(name));
}

/** True for the name of a field that holds what somebody signs in with. */
export function isIdentityField(name: string): boolean {
  return IDENTITY.test(plainName(name));
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/**
 * A copy of what a caller adds to an event, without any password: fields that hold one are dropped at any depth, and where the
 * same text stands in another field (an error message, say) it is replaced there. Core redacts what else is secret.
 *
 * @param keepIdentity applied to every field that holds what somebody signs in with
 */
export function safeDetails(
  extra: Readonly<Record<string, unknown>>,
  keepIdentity?: (identity: string) => string,
): Record<string, unknown> {
  const passwords = new Set<string>();
  collectPasswords(extra, passwords, 0);
  const copy = (value: unknown, depth: number): unknown => {
    if (typeof value === 'string') return withoutPasswords(value, passwords);
    if (!isPlain(value)) return value;
    // Deeper than core keeps; a cycle ends here too.
    if (depth >= MAX_DEPTH) return '[cut]';
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1));
    return copyFields(value, depth);
  };
  const copyFields = (fields: object, depth: number): Record<string, unknown> => {
    const kept: [string, unknown][] = [];
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined || isPasswordField(name)) continue;
      const hidden = keepIdentity !== undefined && typeof value === 'string' && isIdentityField(name);
      kept.push([name, hidden ? keepIdentity(value) : copy(value, depth + 1)]);
    }
    return Object.fromEntries(kept);
  };
  return copyFields(extra, 0);
}

function collectPasswords(value: unknown, found: Set<string>, depth: number): void {
  if (!isPlain(value) || depth >= MAX_DEPTH) return;
  for (const [name, field] of Object.entries(value)) {
    // Shorter ones stand in other words by chance.
    if (typeof field === 'string' && field.length >= 4 && isPasswordField(name)) found.add(field);
    else collectPasswords(field, found, depth + 1);
  }
}

function withoutPasswords(text: string, passwords: ReadonlySet<string>): string {
  let clean = text;
  for (const password of passwords) clean = clean.replaceAll(password, '[password]');
  return clean;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Array.isArray(value);
}
