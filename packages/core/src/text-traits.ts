/** What a text may hold, told by its characters in one pass, so that searches which can find nothing are skipped. */
export const TextTrait = {
  /** `=`, `:` or `>`: a name and its value. */
  pair: 1,
  /** `bea…` or `bas…` in any case, of `bearer` and `basic`. */
  scheme: 2,
  /** `J`, of `eyJ`. */
  token: 4,
  /** `@`, behind the password of a URL. */
  at: 8,
  percent: 16,
  backslash: 32,
  /** At least 13 digits with nothing but separators between them. */
  digits: 64,
  /** Ten dashes in all, of `-----BEGIN -----`. */
  dashes: 128,
  /** What a vendor's token begins with. */
  vendor: 256,
  /** `-x` or `--x` at the beginning of a word. */
  option: 512,
  /** `VALUES (` */
  values: 1024,
} as const;

const MIN_CARD_DIGITS = 13;

/** The traits of a text, as the sum of `TextTrait`s. */
export function readTraits(text: string): number {
  let traits = 0;
  let digits = 0;
  let dashes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 97) {
      if (unit === 98) traits |= schemeAt(text, index);
      // Spaces that are not ASCII may stand between digits.
      if (unit < 128) digits = 0;
    } else if (unit >= 65) {
      if (unit === 95) traits |= tokenPrefixBefore(text, index);
      else {
        digits = 0;
        if (unit <= 74) {
          if (unit === 74) traits |= TextTrait.token;
          else if (unit === 66) traits |= schemeAt(text, index);
          else if (unit === 65) traits |= awsOrGoogleAt(text, index);
        } else if (unit === 92) traits |= TextTrait.backslash;
      }
    } else if (unit >= 48) {
      if (unit <= 57) {
        if (++digits >= MIN_CARD_DIGITS) traits |= TextTrait.digits;
      } else {
        if (unit === 58 || unit === 61 || unit === 62) traits |= TextTrait.pair;
        else if (unit === 64) traits |= TextTrait.at;
        digits = 0;
      }
    } else if (unit === 45) {
      if (++dashes >= 10) traits |= TextTrait.dashes;
      const before = text.charCodeAt(index - 1);
      // In dates and most ids there is a digit or a letter up to `f`, and nothing to look for.
      if (before > 102 || !(before >= 48)) traits |= dashAt(text, index, before);
      else if (before > 96 && text.charCodeAt(index - 2) === 120) traits |= TextTrait.vendor;
    } else if (unit === 37) traits |= TextTrait.percent;
    else if (unit !== 32 && unit !== 46 && unit !== 43 && unit !== 9) {
      if (unit === 40) traits |= valuesBefore(text, index);
      digits = 0;
    }
  }
  return traits;
}

function schemeAt(text: string, at: number): number {
  const second = text.charCodeAt(at + 1) | 32;
  const third = text.charCodeAt(at + 2) | 32;
  return (second === 101 && third === 97) || (second === 97 && third === 115) ? TextTrait.scheme : 0;
}

/** `AKIA`, `ASIA`, `AIza`. */
function awsOrGoogleAt(text: string, at: number): number {
  const second = text.charCodeAt(at + 1);
  const third = text.charCodeAt(at + 2);
  const isAws = (second === 75 || second === 83) && third === 73 && text.charCodeAt(at + 3) === 65;
  return isAws || (second === 73 && third === 122) ? TextTrait.vendor : 0;
}

/** `gh?_`, `github_pat_`, `npm_`, `?k_live_`, `?k_test_`. */
function tokenPrefixBefore(text: string, at: number): number {
  const third = text.charCodeAt(at - 3);
  if (third < 101 || third > 112) return 0;
  const second = text.charCodeAt(at - 2);
  const isPrefix =
    (third === 103 && second === 104) ||
    (third === 110 && second === 112) ||
    (third === 112 && second === 97) ||
    (third === 105 && second === 118) ||
    (third === 101 && second === 115);
  return isPrefix ? TextTrait.vendor : 0;
}

/** `-` before an option's name, or behind `glpat` and `xox?`. */
function dashAt(text: string, at: number, before: number): number {
  if ((before | 32) >= 97) {
    if (before !== 116) return text.charCodeAt(at - 2) === 120 ? TextTrait.vendor : 0;
    return text.charCodeAt(at - 2) === 97 && text.charCodeAt(at - 3) === 112 ? TextTrait.vendor : 0;
  }
  const next = text.charCodeAt(at + 1) | 32;
  return (next >= 97 && next <= 122) || next === 45 ? TextTrait.option : 0;
}

/** True of the bracket behind `VALUES`. */
function valuesBefore(text: string, at: number): number {
  let end = at - 1;
  while (end > 0 && text.charCodeAt(end) <= 32) end--;
  const isValues =
    (text.charCodeAt(end) | 32) === 115 &&
    (text.charCodeAt(end - 1) | 32) === 101 &&
    (text.charCodeAt(end - 2) | 32) === 117;
  return isValues ? TextTrait.values : 0;
}
