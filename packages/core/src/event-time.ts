const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
/** What `toISOString` gives, in which all but every time is written. */
const USUAL_LENGTH = '2025-01-01T00:00:00.000Z'.length;
const ZERO = 0x30;

/** Events of one log come by the day: its start is parsed once. */
let day = '';
let dayStart = Number.NaN;
/** And one time is asked for more than once. */
let lastText = '';
let lastTime = Number.NaN;

/**
 * The time of an event in milliseconds since 1970-01-01 UTC, or NaN for what is none: ISO 8601, UTC, with at most nine
 * digits of a second's fraction.
 */
export function parseEventTime(text: unknown): number {
  if (typeof text !== 'string') return Number.NaN;
  if (text === lastText) return lastTime;
  lastTime = parse(text);
  lastText = text;
  return lastTime;
}

function parse(text: string): number {
  if (text.length === USUAL_LENGTH && day !== '' && text.startsWith(day)) {
    const time = dayStart + timeOfDay(text);
    if (!Number.isNaN(time)) return time;
  }
  if (!TIME.test(text)) return Number.NaN;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) {
    day = text.slice(0, 10);
    dayStart = Date.parse(`${day}T00:00:00.000Z`);
  }
  return time;
}

/** The milliseconds in `Thh:mm:ss.fffZ` behind the day, or NaN if it is written otherwise. */
function timeOfDay(text: string): number {
  const hours = digits(text, 11);
  const minutes = digits(text, 14);
  const seconds = digits(text, 17);
  const hundredths = digits(text, 20);
  const thousandth = text.charCodeAt(22) - ZERO;
  const wellFormed =
    hours < 24 &&
    minutes < 60 &&
    seconds < 60 &&
    hundredths < 100 &&
    thousandth >= 0 &&
    thousandth <= 9 &&
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    text[19] === '.' &&
    text[23] === 'Z';
  if (!wellFormed) return Number.NaN;
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + hundredths * 10 + thousandth;
}

/** Two digits, or more than any of them can be. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.POSITIVE_INFINITY;
}
