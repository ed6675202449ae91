import { createHash } from 'node:crypto';

const MAX_ENCODED_LENGTH = 255;

/**
 * The name of a log: `<origin>/<encoded tenant>`, or the origin where there is no tenant. The tenant is
 * percent-encoded down to letters, digits, `-`, `_` and `.`. One that is longer than 255 characters then, or that has
 * lone surrogates, is `~` and the SHA-256 of its UTF-16 units in hex: two tenants never share a log.
 */
export function logName(origin: string, tenant?: string): string {
  return tenant === undefined || tenant === '' ? origin : `${origin}/${encodeTenant(tenant)}`;
}

function encodeTenant(tenant: string): string {
  // Nothing to encode in nearly all names; a name of dots alone would lead elsewhere in a path.
  if (tenant.length <= MAX_ENCODED_LENGTH && /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(tenant)) return tenant;
  if (tenant.length <= MAX_ENCODED_LENGTH && !/\p{Surrogate}/u.test(tenant)) {
    const encoded = encodeURIComponent(tenant).replace(/[!'()*~]|^\.+$/g, (found) =>
      [...found].map((char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`).join(''),
    );
    if (encoded.length <= MAX_ENCODED_LENGTH) return encoded;
  }
  return `~${createHash('sha256').update(Buffer.from(tenant, 'utf16le')).digest('hex')}`;
}
