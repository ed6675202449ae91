import { isUtf8 } from 'node:buffer';

/**
 * How the texts of a database come to the process.
 * - `sure`: each has a form in UTF-8, which the server makes.
 * - `raw`: the server does not know what they are and sends their bytes as they are.
 * - `unsure`: some have no such form, and a statement that returns one fails.
 */
export type TextEncoding = 'sure' | 'raw' | 'unsure';

/** Those of which every byte is a character. */
const WHOLE = /^(?:UTF8|LATIN(?:[1245679]|8|10)|ISO_8859_5|KOI8R|KOI8U|WIN866|WIN1256)$/;

/** With these errors fails what has no such form: character_not_in_repertoire, untranslatable_character. */
export const UNTRANSLATABLE = /\b(?:22021|22P05)\b/;

/** @param name as `getdatabaseencoding()` gives it */
export function textEncoding(name: string): TextEncoding {
  if (WHOLE.test(name)) return 'sure';
  return name === 'SQL_ASCII' ? 'raw' : 'unsure';
}

/** A text expression as ASCII text that `readRaw` reads. */
export function rawExpression(text: string): string {
  return `pg_catalog.encode(pg_catalog.convert_to(${text}, 'SQL_ASCII'), 'escape')`;
}

/**
 * The text that the expression gave. A byte that is no UTF-8 becomes a lone surrogate, U+DC00 and the byte: what differs on
 * the server differs here too, and an event tells the bytes.
 */
export function readRaw(escaped: string): string {
  if (!escaped.includes('\\')) return escaped;
  const bytes = Buffer.from(
    escaped.replace(/\\(?:\\|([0-7]{3}))/g, (_, octal: string | undefined) =>
      octal === undefined ? '\\' : String.fromCharCode(Number.parseInt(octal, 8)),
    ),
    'latin1',
  );
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] ?? 0);
    const sequence = bytes.subarray(at, at + length);
    const isText = sequence.length === length && isUtf8(sequence);
    text += isText ? sequence.toString('utf8') : String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    at += isText ? length : 1;
  }
  return text;
}

const RAW_BYTE = /(?<![\ud800-\udbff])[\udc80-\udcff]/g;

/** The bytes of a text that `readRaw` has read and that is no UTF-8; undefined for any other one. */
export function rawBytes(text: string): Uint8Array | undefined {
  if (text.search(RAW_BYTE) === -1) return undefined;
  const parts: Buffer[] = [];
  let from = 0;
  for (const { index } of text.matchAll(RAW_BYTE)) {
    parts.push(Buffer.from(text.slice(from, index)), Buffer.from([text.charCodeAt(index) - 0xdc00]));
    from = index + 1;
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(from))]);
}

function sequenceLength(lead: number): number {
  if (lead < 0xc0) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}
