import { describe, expect, it } from 'vitest';
import { formatCheckpoint, parseCheckpoint } from '../src/checkpoint.js';
import { sha256 } from './rewrite-log.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const ROOT = sha256(Buffer.from('root'));
const BASE64 = Buffer.from(ROOT).toString('base64');

describe('a checkpoint', () => {
  it('is an origin, a size and a root, each on its line', () => {
    const text = `audit/north\n20852163\n${BASE64}\n`;
    expect(formatCheckpoint({ origin: 'audit/north', size: 20_852_163, root: ROOT })).toBe(text);
    expect(parseCheckpoint(text)).toEqual({
      origin: 'audit/north',
      size: 20_852_163,
      root: new Uint8Array(ROOT),
      extensions: [],
    });
  });

  it('may have further lines, which are kept', () => {
    const text = `audit\n1\n${BASE64}\nextension one\nextension two\n`;
    expect(formatCheckpoint({ ...parseCheckpoint(text) })).toBe(text);
  });

  it.each([
    ['an empty origin', `\n1\n${BASE64}\n`],
    ['a leading zero', `audit\n01\n${BASE64}\n`],
    ['a sign', `audit\n+1\n${BASE64}\n`],
    ['a size that is none', `audit\n1e3\n${BASE64}\n`],
    ['no size', `audit\n\n${BASE64}\n`],
    ['more entries than a number holds', `audit\n9007199254740993\n${BASE64}\n`],
    ['a root that is too short', `audit\n1\n${Buffer.alloc(31).toString('base64')}\n`],
    ['a root that is too long', `audit\n1\n${Buffer.alloc(33).toString('base64')}\n`],
    ['a root with loose bits', `audit\n1\n${BASE64.slice(0, -2)}/=\n`],
    ['no root', 'audit\n1\n'],
    ['an empty further line', `audit\n1\n${BASE64}\n\nmore\n`],
    ['no newline at its end', `audit\n1\n${BASE64}`],
  ])('with %s is none', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(code('AUDIT_NOTE_INVALID'));
  });

  it.each(['audit\n9', 'audit\n'])('can not be of a log with the name %j', (origin) => {
    expect(() => formatCheckpoint({ origin, size: 1, root: ROOT })).toThrow(code('AUDIT_NOTE_INVALID'));
  });
});
