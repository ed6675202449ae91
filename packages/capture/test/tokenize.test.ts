import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldName, tokenize } from '../src/tokenize.js';

function tokens(sql: string): string[] {
  return tokenize(sql).map(({ kind, text }) => `${kind} ${text}`);
}

describe('tokenize', () => {
  test('tells words, names, literals and parameters apart', () => {
    expect(
      tokens(`SELECT a."b""c", [d e], \`f\`\`g\`, 'it''s', x'0A', 1.5e-3, .5, 0xFF, ?1, :n, @m, $p`),
    ).toEqual([
      'word SELECT',
      'word a',
      'punctuation .',
      'quoted b"c',
      'punctuation ,',
      'quoted d e',
      'punctuation ,',
      'quoted f`g',
      'punctuation ,',
      "literal 'it''s'",
      'punctuation ,',
      "literal x'0A'",
      'punctuation ,',
      'literal 1.5e-3',
      'punctuation ,',
      'literal .5',
      'punctuation ,',
      'literal 0xFF',
      'punctuation ,',
      'parameter ?1',
      'punctuation ,',
      'parameter :n',
      'punctuation ,',
      'parameter @m',
      'punctuation ,',
      'parameter $p',
    ]);
  });

  test('passes over comments and a byte order mark, and not over what looks like them in quotes', () => {
    expect(tokens(`\uFEFF-- UPDATE\n/* DELETE ' */ a '-- no' "/* no */" /**/ b -- end`)).toEqual([
      'word a',
      "literal '-- no'",
      'quoted /* no */',
      'word b',
    ]);
  });

  test('takes a no-break space for a part of a name, as SQLite does', () => {
    expect(tokens('a\u00a0b c')).toEqual(['word a\u00a0b', 'word c']);
  });

  test('keeps what a dollar quote holds together', () => {
    expect(tokens("$$a; DELETE$$ $t$ it's $$ $t$ x")).toEqual([
      'literal $$a; DELETE$$',
      "literal $t$ it's $$ $t$",
      'word x',
    ]);
  });

  test('runs unterminated strings, names, comments and dollar quotes to the end', () => {
    for (const [sql, last] of [
      ["a 'open", "literal 'open"],
      ['a "open', 'quoted open'],
      ['a [open', 'quoted open'],
      ['a `', 'quoted '],
      ['a $t$ open', 'literal $t$ open'],
      ['a /* open', 'word a'],
      ['a -- open', 'word a'],
    ] as const) {
      expect(tokens(sql).at(-1)).toBe(last);
    }
  });

  test('folds ASCII only', () => {
    expect(foldName('ÄbC\u212aİ')).toBe('Äbc\u212aİ');
  });

  test('covers any text in order, without overlap, and throws for none', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '`',
      '[',
      ']',
      '--',
      '/*',
      '*/',
      '$',
      '$a$',
      ';',
      '\n',
      ' ',
      'x',
      '1',
      'ü',
      '\\',
      "x'",
      '.',
      '?',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((all) => all.join('')),
        ),
        (sql) => {
          let at = 0;
          for (const token of tokenize(sql)) {
            expect(token.start).toBeGreaterThanOrEqual(at);
            expect(token.end).toBeGreaterThan(token.start);
            at = token.end;
          }
          expect(at).toBeLessThanOrEqual(sql.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('takes time that grows with the length of the text alone', () => {
    for (const piece of ["'a''b' ", '/**/', '((((', '"a" ', '$a$b', '1_000.5e5', '--\n', ';;; ']) {
      const small = time(piece.repeat(20_000 / piece.length));
      const large = time(piece.repeat(1_000_000 / piece.length));
      // Fifty times the text; a square would be 2,500 times the time.
      expect(large).toBeLessThan(Math.max(small, 1) * 600);
    }
  });
});

/** The shortest of three, in milliseconds: what else the machine does only makes it longer. */
function time(sql: string): number {
  const times = Array.from({ length: 3 }, () => {
    const start = performance.now();
    tokenize(sql);
    return performance.now() - start;
  });
  return Math.min(...times);
}
