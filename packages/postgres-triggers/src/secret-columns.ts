import { createRedactor, isRedacted } from '@indelible/core';

const redactor = createRedactor({ detectValues: false }, undefined);

/** True for a column whose name is on core's list of secret ones, in any case style. */
export function isSecretColumn(name: string): boolean {
  // fromEntries makes an own property of every name, `__proto__` too.
  const masked = redactor.redact(Object.fromEntries([[name, 'x']]), 'after');
  return Object.values(masked).some(isRedacted);
}

/**
 * A regular expression of PostgreSQL, matched in any case: names that hold anything secret. It takes more for secret than core's
 * list does, because it judges columns that came after the triggers, and names inside of JSON, which nobody has looked at.
 */
export const SECRET_NAME =
  'passw|passphrase|passcode|pwd|secret|token|cookie|credential|api.?key|access.?key|private.?key|auth.?(key|code|orization)|' +
  'connection.?string|card.?n(umber|um|o)|cc.?number|(^|[^a-z])(ssn|cvv|cvc|csc|pin|otp|totp|jwt|bearer|dsn|pan)([^a-z]|$)|' +
  'social.?security|one.?time|recovery.?code|backup.?code|verification.?code|magic.?link|reset.?(link|url|code)|signing.?key|' +
  'encryption.?key|ssh.?key|security.?(code|answer)';
