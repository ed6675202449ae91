import { replaceCardNumbers } from './card-numbers.js';
import { TextTrait } from './text-traits.js';
import { replaceVendorTokens } from './vendor-tokens.js';

const DOTTED_RUN = /[A-Za-z0-9_.-]+/g;
const BEARER = /bearer((?:[\s:+]|%20){1,8})([A-Za-z0-9._~+/-]{6,}=*)/gi;
const BASIC = /basic((?:[\s:+]|%20){1,8})([A-Za-z0-9+/_-]{4,}={0,2})/gi;
// `@` may stand in the password, so the last one before the host counts.
const USER_INFO = /:\/\/([^/\s:@?#"'<>]*):([^/\s?#"'<>]+)@/g;
const KEY_BEGIN = '-----BEGIN ';
const KEY_END = '-----END ';
const KEY_LINE = 80;

/**
 * Replaces secrets that are known by their form: card numbers, JSON Web Tokens (RFC 7519), bearer and basic
 * credentials (RFC 6750, RFC 7617), private keys in PEM (RFC 7468), the password of a URL (RFC 3986, 3.2.1), tokens of
 * well-known vendors. Linear in the length of the text.
 *
 * @param traits of the text, see `readTraits`
 */
export function replaceSecretValues(
  text: string,
  traits: number,
  replace: (secret: string) => string,
): string {
  let out = text;
  if ((traits & TextTrait.dashes) !== 0 && out.includes(KEY_BEGIN)) out = replacePrivateKeys(out, replace);
  if ((traits & TextTrait.scheme) !== 0) {
    out = out.replace(
      BEARER,
      (found: string, gap: string, token: string) => found.slice(0, 6) + gap + replace(token),
    );
    out = out.replace(BASIC, (found: string, gap: string, credentials: string) =>
      isBasic(credentials) ? found.slice(0, 5) + gap + replace(credentials) : found,
    );
  }
  if ((traits & TextTrait.token) !== 0 && out.includes('eyJ')) out = replaceJwts(out, replace);
  if ((traits & TextTrait.at) !== 0 && out.includes('://')) {
    out = out.replace(USER_INFO, (_, user: string, password: string) => `://${user}:${replace(password)}@`);
  }
  if ((traits & TextTrait.vendor) !== 0) out = replaceVendorTokens(out, replace);
  if ((traits & TextTrait.digits) !== 0) out = replaceCardNumbers(out, replace);
  return out;
}

/** A word behind `basic` is a word unless it decodes to a name and a password. */
function isBasic(credentials: string): boolean {
  const decoded = Buffer.from(credentials, 'base64').toString('latin1');
  return decoded.includes(':') && /^[\x20-\x7e\x80-\xff]+$/.test(decoded);
}

function replaceJwts(text: string, replace: (secret: string) => string): string {
  return text.replace(DOTTED_RUN, (run) => {
    const start = run.indexOf('eyJ');
    if (start === -1) return run;
    const token = run.slice(start).replace(/(?<!\.)\.$/, '');
    const parts = token.split('.');
    const claims = parts[1];
    // Header and claims are JSON objects; the claims of an encrypted token (five parts) are not readable.
    const isToken =
      claims !== undefined &&
      (parts.length >= 5 || claims.startsWith('eyJ') || (parts.length >= 3 && claims !== ''));
    return isToken ? run.slice(0, start) + replace(token) + run.slice(start + token.length) : run;
  });
}

function replacePrivateKeys(text: string, replace: (secret: string) => string): string {
  let out = '';
  let done = 0;
  for (let begin = text.indexOf(KEY_BEGIN); begin !== -1; begin = text.indexOf(KEY_BEGIN, begin)) {
    const label = text.slice(begin + KEY_BEGIN.length, begin + KEY_LINE);
    const labelEnd = label.indexOf('-----');
    if (!label.slice(0, labelEnd === -1 ? label.length : labelEnd).includes('PRIVATE KEY')) {
      begin += KEY_BEGIN.length;
      continue;
    }
    const footer = text.indexOf(KEY_END, begin);
    const footerEnd = footer === -1 ? -1 : text.indexOf('-----', footer + KEY_END.length);
    // Without an end the rest may be the key.
    const end = footerEnd === -1 ? text.length : footerEnd + 5;
    out += text.slice(done, begin) + replace(text.slice(begin, end));
    done = end;
    begin = end;
  }
  return done === 0 ? text : out + text.slice(done);
}
