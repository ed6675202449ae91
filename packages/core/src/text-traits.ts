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
      if (unit === 74) traits |= TextTrait.token;
      else if (unit === 66) traits |= schemeAt(text, index);
      else if (unit === 92) traits |= TextTrait.backslash;
      if (unit !== 95) digits = 0;
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
    } else if (unit === 37) traits |= TextTrait.percent;
    else if (unit !== 32 && unit !== 46 && unit !== 43 && unit !== 9) digits = 0;
  }
  return traits;
}

function schemeAt(text: string, at: number): number {
  const second = text.charCodeAt(at + 1) | 32;
  const third = text.charCodeAt(at + 2) | 32;
  return (second === 101 && third === 97) || (second === 97 && third === 115) ? TextTrait.scheme : 0;
}
