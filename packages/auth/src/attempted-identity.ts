import { AuditError, createRedactor, deriveKeys } from '@indelible/core';

/**
 * How an identity that nobody has proven is kept. `mask`: `a***@c***.org`. `hmac`: a pseudonym, equal for equal identities,
 * which needs the secret. `plain`: as it was typed, and people do type passwords into the wrong field.
 */
export type IdentityMode = 'mask' | 'hmac' | 'plain';

/** @throws AuditError `AUDIT_KEY_MISSING` for `hmac` without a secret */
export function identityKeeper(
  mode: IdentityMode,
  secret?: string | Uint8Array,
): (identity: string) => string {
  if (mode === 'plain') return (identity) => identity;
  if (mode === 'mask') return maskIdentity;
  if (mode !== 'hmac') {
    throw new AuditError('AUDIT_CONFIG_INVALID', 'auth', "`identity` is 'mask', 'hmac' or 'plain'");
  }
  if (secret === undefined) {
    throw new AuditError('AUDIT_KEY_MISSING', 'auth', "`identity: 'hmac'` needs the secret");
  }
  const redactor = createRedactor({ mode: 'hmac' }, deriveKeys(secret).pseudonym);
  return (identity) => redactor.pseudonym(normalizeIdentity(identity));
}

/** Attempts on one account must be seen as such, however it was typed. */
export function normalizeIdentity(identity: string): string {
  return identity.trim().normalize('NFKC').toLowerCase();
}

/** The first character, and of an address also the first one of the domain and the top-level domain. Lengths do not show. */
export function maskIdentity(identity: string): string {
  const text = identity.trim();
  const at = text.lastIndexOf('@');
  const domain = at > 0 ? /^([a-z0-9])[a-z0-9.-]*\.([a-z]{2,24})$/i.exec(text.slice(at + 1)) : null;
  // A password with an @ in it is no address: what follows the @ is hidden too.
  return domain === null ? `${first(text)}***` : `${first(text)}***@${domain[1]}***.${domain[2]}`;
}

function first(text: string): string {
  return [...text.slice(0, 2)][0] ?? '';
}
