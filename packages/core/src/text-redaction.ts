import type { JsonValue } from './event.js';
import { replaceNamedValues } from './name-value-text.js';
import { replaceSecretValues } from './secret-values.js';

/** Longer texts are searched as text, not parsed as JSON. In UTF-16 units. */
const MAX_PARSED = 262_144;
const ENCODED = /[^&\s=?#"<>]+/g;
const MAX_NESTING = 6;
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
    let digits = 0;
    let dashes = 0;
    let hasPair = false;
    let hasScheme = false;
    let hasJ = false;
    let hasAt = false;
    let hasPercent = false;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 97) {
        if (unit === 98) hasScheme ||= beginsScheme(text, index);
      } else if (unit >= 48 && unit <= 57) digits++;
      else if (unit === 45) dashes++;
      else if (unit === 61 || unit === 58 || unit === 62) hasPair = true;
      else if (unit === 66) hasScheme ||= beginsScheme(text, index);
      else if (unit === 74) hasJ = true;
      else if (unit === 64) hasAt = true;
      else if (unit === 37) hasPercent = true;
    }
    if (digits === 17 && ISO_TIME.test(text)) return text;
    let out = text;
    if (hasPair && (text.includes('{') || text.includes('['))) {
      const parsed = nesting < MAX_NESTING ? redactJsonText(text, nesting) : text;
      if (parsed !== text) return parsed;
    }
    if (hasPercent) {
      out = redactEncoded(out, nesting);
    }
    if (hasPair) out = replaceNamedValues(out, isSecretName, replace);
    if (detectValues && (hasScheme || hasJ || hasAt || digits >= 13 || dashes >= 10)) {
      out = replaceSecretValues(out, { digits, dashes, hasScheme, hasJ, hasAt }, replace);
    }
    return out;
  }

  /** The text is left as it is where its JSON holds no secret: numbers keep their digits, and white space stays. */
  function redactJsonText(text: string, nesting: number): string {
    if (text.length > MAX_PARSED || !/^[\s\ufeff]*[[{]/.test(text)) return text;
    let value: JsonValue;
    try {
      value = JSON.parse(text) as JsonValue;
    } catch {
      return text;
    }
    const redacted = redactParsed(value, nesting + 1);
    // Of two equal keys only the last was seen, and an escape can hide the first from the search for names.
    if (redacted !== value || text.includes('\\')) return JSON.stringify(redacted);
    return text;
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

/** True where `bea…` or `bas…` begins, of `bearer` and `basic`. */
function beginsScheme(text: string, at: number): boolean {
  const second = text.charCodeAt(at + 1) | 32;
  const third = text.charCodeAt(at + 2) | 32;
  return (second === 101 && third === 97) || (second === 97 && third === 115);
}
