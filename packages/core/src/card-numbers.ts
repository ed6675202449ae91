// The first branch steps over UUIDs, whose digits pass Luhn now and then. Both are bounded or consume what they read.
const CANDIDATE =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9])[0-9](?:(?:[ .+_\t\u00a0\u2009\u202f-]|%20){0,2}[0-9]){12,}/gi;
const GROUP = /[0-9]+/g;
const DIGEST_LENGTH = 24;

/**
 * Replaces the payment card numbers (ISO/IEC 7812) in a text: 13 to 19 digits, alone or in groups, of a range that
 * card schemes use, that pass Luhn. Part of a UUID, of a hex digest or of a decimal fraction is none.
 *
 * @param replace is given the digits
 */
export function replaceCardNumbers(text: string, replace: (digits: string) => string): string {
  let out = '';
  let done = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const run = match[0];
    if (run.length === 36 && run[8] === '-' && run[13] === '-') continue;
    for (const { from, to, digits } of cardsInRun(text, match.index, run)) {
      out += text.slice(done, from) + replace(digits);
      done = to;
    }
  }
  return done === 0 ? text : out + text.slice(done);
}

/** True for the digits of a card number. */
export function isCardNumber(digits: string): boolean {
  return hasSchemeRange(digits) && passesLuhn(digits);
}

interface FoundCard {
  readonly from: number;
  readonly to: number;
  readonly digits: string;
}

/** A run can hold more than the number: `4111 1111 1111 1111 123` ends with its security code, which goes too. */
function cardsInRun(text: string, offset: number, run: string): FoundCard[] {
  const groups = [...run.replaceAll('%20', '   ').matchAll(GROUP)];
  const found: FoundCard[] = [];
  for (let first = 0; first < groups.length; first++) {
    let digits = '';
    let longest: { card: FoundCard; last: number } | undefined;
    for (let last = first; last < groups.length; last++) {
      const group = groups[last] as RegExpExecArray;
      digits += group[0];
      if (digits.length > 19) break;
      if (digits.length < 13 || !isCardNumber(digits)) continue;
      const from = offset + (groups[first] as RegExpExecArray).index;
      const to = offset + group.index + group[0].length;
      if (!isFraction(text, from, to) && !isDigest(text, from, to))
        longest = { card: { from, to, digits }, last };
    }
    if (longest !== undefined) {
      const after = groups[longest.last + 1];
      const hasCode =
        longest.last + 2 === groups.length && after !== undefined && /^[0-9]{3,4}$/.test(after[0]);
      found.push(hasCode ? { ...longest.card, to: offset + after.index + after[0].length } : longest.card);
      first = longest.last;
    }
  }
  return found;
}

/** By length and first digits: milliseconds since 1970 (13 digits, 1…) and most ids of 17 or 18 digits stay. */
function hasSchemeRange(digits: string): boolean {
  switch (digits.length) {
    case 13:
      return digits.startsWith('4');
    case 14:
      return /^3[0689]/.test(digits);
    case 15:
      return /^3[47]/.test(digits);
    case 16:
      return /^(?:[2-6]|8[12]|9792)/.test(digits);
    case 17:
    case 18:
      return /^(?:5[06-9]|6)/.test(digits);
    case 19:
      return /^(?:35|4|5[06-9]|6)/.test(digits);
    default:
      return false;
  }
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  let double = false;
  for (let index = digits.length - 1; index >= 0; index--) {
    let digit = digits.charCodeAt(index) - 48;
    if (double) {
      digit *= 2;
      if (digit > 9) digit -= 9;
    }
    sum += digit;
    double = !double;
  }
  return sum % 10 === 0;
}

function isFraction(text: string, from: number, to: number): boolean {
  if (/[0-9]\.$/.test(text.slice(Math.max(0, from - 2), from)) || /^\.[0-9]/.test(text.slice(to, to + 2)))
    return true;
  const inside = text.slice(from, to);
  return inside.includes('.') && inside.split('.').some((group) => group.length < 4 || group.length > 6);
}

function isDigest(text: string, from: number, to: number): boolean {
  let start = from;
  let end = to;
  while (start > 0 && from - start < DIGEST_LENGTH && isHex(text.charCodeAt(start - 1))) start--;
  while (end < text.length && end - to < DIGEST_LENGTH && isHex(text.charCodeAt(end))) end++;
  return end - start >= DIGEST_LENGTH && (start < from || end > to);
}

function isHex(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 70) || (unit >= 97 && unit <= 102);
}
