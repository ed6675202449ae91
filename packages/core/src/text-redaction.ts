import type { JsonValue } from './event.js';
import { replaceNamedValues } from './name-value-text.js';
import { replaceOptionValues } from './option-text.js';
import { replaceSecretValues } from './secret-values.js';
import { replaceSqlValues } from './sql-values.js';
import { readTraits, TextTrait } from './text-traits.js';

/** Longer texts are searched as text, not parsed as JSON. In UTF-16 units. */
const MAX_PARSED = 262_144;
const ENCODED = /[^&\s=?#"<>]+/g;
const MAX_NESTING = 6;
const JSON_START = /^[\s\ufeff]*[[{]/;
const BASE64_JSON = /^eyJ[A-Za-z0-9+/_-]{12,}={0,2}$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export interface TextRedactionSettings {
  readonly detectValues: boolean;
  readonly isSecretName: (name: string) => boolean;
  readonly replace: (secret: string) => string;
  /** Redacts JSON that was found in a text. */
  readonly redactParsed: (value: JsonValue, nesting: number) => JsonValue;
}

/** Redacts a text; `nesting` counts the JSON strings and encodings that it was found in. */
export type TextRedaction = (text: string, nesting: number) => string;

export function createTextRedaction(settings: TextRedactionSettings): TextRedaction {
  const { detectValues, isSecretName, replace, redactParsed } = settings;

  function redactText(text: string, nesting: number): string {
    const traits = readTraits(text);
    return traits === 0 ? text : redactTraits(text, traits, nesting);
  }

  /** Apart from the look at the text, which is all that most texts need and must stay small to be fast. */
  function redactTraits(text: string, traits: number, nesting: number): string {
    if (traits === TextTrait.pair && ISO_TIME.test(text)) return text;
    let out = text;
    if ((traits & (TextTrait.pair | TextTrait.backslash)) !== 0 && nesting < MAX_NESTING) {
      const parsed = redactJsonText(text, nesting);
      if (parsed !== text) return parsed;
    }
    if ((traits & TextTrait.token) !== 0 && nesting < MAX_NESTING && hidesSecret(text, nesting))
      return replace(text);
    if ((traits & TextTrait.percent) !== 0) out = redactEncoded(out, nesting);
    // Before what is named by `=` or `:`, which may stand within a value of these.
    if ((traits & TextTrait.values) !== 0) out = replaceSqlValues(out, isSecretName, replace);
    if ((traits & TextTrait.option) !== 0) out = replaceOptionValues(out, isSecretName, replace);
    if ((traits & TextTrait.pair) !== 0) out = replaceNamedValues(out, isSecretName, replace);
    return detectValues ? replaceSecretValues(out, traits, replace) : out;
  }

  /** The text is left as it is where its JSON holds no secret: numbers keep their digits, and white space stays. */
  function redactJsonText(text: string, nesting: number): string {
    if (text.length > MAX_PARSED || !JSON_START.test(text)) return text;
    let value: JsonValue;
    try {
      value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text) as JsonValue;
    } catch {
      return text;
    }
    const redacted = redactParsed(value, nesting + 1);
    // Of two equal keys only the last was seen, and an escape can hide the first from the search for names.
    if (redacted !== value || text.includes('\\')) return JSON.stringify(redacted);
    return text;
  }

  /** JSON in base64, which begins with `eyJ`, with a secret in it. */
  function hidesSecret(text: string, nesting: number): boolean {
    if (text.length > MAX_PARSED || !BASE64_JSON.test(text)) return false;
    const decoded = Buffer.from(text, 'base64').toString('utf8');
    const redacted = redactText(decoded, nesting + 1);
    // JSON may come back in another form without having lost anything.
    return redacted !== decoded && redacted !== rewriteJson(decoded);
  }

  function rewriteJson(text: string): string | undefined {
    try {
      return JSON.stringify(JSON.parse(text));
    } catch {
      return undefined;
    }
  }

  /** A URL or a query inside a query: `next=%2Flogin%3Ftoken%3D…` */
  function redactEncoded(text: string, nesting: number): string {
    if (nesting >= MAX_NESTING || !/%(?:3[ade]|22|7b|25)/i.test(text)) return text;
    return text.replace(ENCODED, (run) => {
      if (!run.includes('%')) return run;
      let decoded: string;
      try {
        decoded = decodeURIComponent(run);
      } catch {
        return run;
      }
      const redacted = decoded === run ? decoded : redactText(decoded, nesting + 1);
      return redacted === decoded ? run : encodeURIComponent(redacted);
    });
  }

  return redactText;
}
