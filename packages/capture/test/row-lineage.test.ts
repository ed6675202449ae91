import { describe, expect, test } from 'vitest';
import type { Capture } from '../src/sqlite/capture-triggers.js';
import { foldCaptures, type Lineage, settleLineages } from '../src/sqlite/row-lineage.js';

let seq = 0;
function note(event: Capture['event'], from: string, to = from, taken: string | null = null): Capture {
  seq += 1;
  return {
    seq,
    table: 1,
    event,
    from,
    to,
    before: event === 'insert' ? null : `row ${from}`,
    after: `now ${to}`,
    taken,
  };
}

/** What became of the rows, given the places that hold one in the end. */
function fates(captures: readonly Capture[], present: readonly string[]): string[] {
  const lineages = foldCaptures(captures);
  settleLineages(lineages, new Map(present.map((at) => [at, `now ${at}`])));
  return lineages.map(fate);
}

function fate({ from, at, deleted, before }: Lineage): string {
  if (deleted) return before === null ? 'nothing' : `${from} is deleted`;
  return before === null ? `${at} is made` : from === at ? `${from} is updated` : `${from} moves to ${at}`;
}

describe('the fate of rows', () => {
  test('several touches of one row are one', () => {
    expect(fates([note('update', '1'), note('update', '1'), note('update', '1')], ['1'])).toEqual([
      '1 is updated',
    ]);
    expect(fates([note('insert', '', '1'), note('update', '1')], ['1'])).toEqual(['1 is made']);
    expect(fates([note('insert', '', '1'), note('delete', '1')], [])).toEqual(['nothing']);
    expect(fates([note('update', '1', '2'), note('update', '2', '3')], ['3'])).toEqual(['1 moves to 3']);
    expect(fates([note('delete', '1'), note('insert', '', '1')], ['1'])).toEqual([
      '1 is deleted',
      '1 is made',
    ]);
  });

  test('rows that move along a line each keep their own fate', () => {
    expect(
      fates([note('update', '3', '4'), note('update', '2', '3'), note('update', '1', '2')], ['2', '3', '4']),
    ).toEqual(['3 moves to 4', '2 moves to 3', '1 moves to 2']);
  });

  test('moves that do not happen leave the rows where they were', () => {
    const captures = [note('update', '1', '2', '2'), note('update', '2', '3', '3'), note('update', '3', '4')];
    expect(fates(captures, ['1', '2', '4'])).toEqual(['1 is updated', '2 is updated', '3 moves to 4']);
    expect(fates([note('update', '1', '9'), note('update', '2', '9')], ['1', '9'])).toEqual([
      '1 is updated',
      '2 moves to 9',
    ]);
  });

  test('a row that takes the place of another is told from it, whichever is noted first', () => {
    const moves = note('update', '1', '2', '2');
    expect(fates([moves, note('replace', '2')], ['2'])).toEqual(['1 moves to 2', '2 is deleted']);
    expect(fates([note('replace', '2'), moves], ['2'])).toEqual(['2 is deleted', '1 moves to 2']);
  });

  test('a row that is touched where it was deleted was not deleted', () => {
    expect(fates([note('delete', '1'), note('update', '1')], ['1'])).toEqual(['1 is updated']);
    expect(fates([note('delete', '1')], ['1'])).toEqual(['1 is updated']);
  });

  test('a key that ignores case gives way under its other spelling', () => {
    expect(fates([note('update', 'A2', 'A1', 'a1'), note('replace', 'a1')], ['A1'])).toEqual([
      'A2 moves to A1',
      'a1 is deleted',
    ]);
  });

  test('rows of two tables at the same place are two', () => {
    const other = { ...note('update', '1'), table: 2 };
    expect(foldCaptures([note('update', '1'), other])).toHaveLength(2);
  });
});
