import type { EngineRows, Inexact, Rewritten } from '../dialect.js';
import { actingReferences, type CascadeImage, fateOf, imageCascades, type SchemaView } from './cascades.js';
import { findWriteLimits } from './find-write-limits.js';
import { answerOf } from './insert-answer.js';
import { type TokenMode, tokenizeMysql } from './mysql-tokens.js';
import { RowNote } from './noted-rows.js';
import { type Replaced, readReplaced } from './replaced-rows.js';
import {
  lockStatement,
  type NotedTarget,
  rewriteWithNotes,
  rewriteWithRows,
  type Target,
} from './rewrite-write.js';
import { type RawRow, readImage } from './row-image.js';
import type { RowWrite } from './write-shape.js';

/** How one write is captured. */
export interface WritePlan {
  readonly write: RowWrite;
  /** What shows before it runs. */
  readonly inexact: readonly Inexact[];
  /** Undefined where it must run as it was written. */
  readonly rewritten?: Rewritten;
  /** The tables whose rows the statement notes. */
  readonly noted: readonly NotedTarget[];
  /** The table whose rows the statement returns. */
  readonly returned?: Target;
  readonly cascades?: CascadeImage;
  /** The rows that a REPLACE deletes. */
  readonly replaced?: Replaced;
}

export interface PlanRequest {
  readonly view: SchemaView;
  readonly sql: string;
  readonly write: RowWrite;
  readonly targets: readonly Target[];
  readonly mode: TokenMode;
  readonly supportsReturning: boolean;
  /** The connection counts rows that an update has found and not changed. */
  readonly countsFound: boolean;
  /** Runs another text with the caller's parameters. */
  readonly ask: (sql: string) => Promise<EngineRows>;
}

/** Finds out how far the write can be captured; where foreign keys carry it on, locks and reads the rows that they reach. */
export async function planWrite(request: PlanRequest): Promise<WritePlan> {
  const { write, targets } = request;
  const inexact: Inexact[] = [];
  for (const { table } of targets) {
    const limits = findWriteLimits(write, table);
    if (limits.blocks !== undefined) return unseen(write, limits.blocks);
    inexact.push(...limits.inexact);
  }
  const reason = findObstacle(request);
  if (reason !== undefined) return unseen(write, mark(targets, reason));
  const replaced = write.verb === 'replace' ? await readReplaced(request) : undefined;
  if (write.verb === 'replace' && replaced === undefined) {
    return unseen(
      write,
      mark(targets, 'rows that a REPLACE deletes and that can not be told before it runs'),
    );
  }
  const plan = rewrite(request, replaced);
  if (plan === undefined) {
    return unseen(write, mark(targets, 'a statement with no place to note its rows at'));
  }
  const cascades = await lockAndImage(request, replaced);
  return {
    write,
    ...plan,
    ...(replaced === undefined ? {} : { replaced }),
    ...(cascades === undefined ? {} : { cascades }),
    inexact: [...inexact, ...(cascades?.inexact ?? [])],
  };
}

function rewrite(
  { view, sql, write, targets, supportsReturning, countsFound }: PlanRequest,
  replaced: Replaced | undefined,
): Pick<WritePlan, 'rewritten' | 'noted' | 'returned'> | undefined {
  const [single] = targets;
  const isInsert = write.verb === 'insert' || write.verb === 'replace';
  if (
    (isInsert || (write.verb === 'delete' && !write.isMulti)) &&
    supportsReturning &&
    single !== undefined
  ) {
    const answer = answerOf(sql, write, single, countsFound, (rows) => replaced?.count(rows) ?? 0);
    return {
      rewritten: rewriteWithRows(sql, write, single, view.maxBytes, answer),
      noted: [],
      returned: single,
    };
  }
  if (isInsert) return undefined;
  const noted = targets.map((target, index) => ({
    ...target,
    note: new RowNote(target.table, target.named.qualifier, index, view.maxBytes),
  }));
  const rewritten = rewriteWithNotes(sql, write, noted);
  return rewritten === undefined ? undefined : { rewritten, noted };
}

/** Why the rows of the statement can not be seen, whatever its tables are like. */
function findObstacle({ sql, write, targets, mode }: PlanRequest): string | undefined {
  if (new Set(targets.map(({ table }) => table.id)).size < targets.length) {
    return 'a statement that writes one table under two names';
  }
  if (write.verb === 'update') return undefined;
  // The key that it sets is what the driver is told, and RETURNING tells it none.
  const tokens = tokenizeMysql(sql, mode);
  const sets = tokens.some(
    ({ text }, at) =>
      /^last_insert_id$/i.test(text) && tokens[at + 1]?.text === '(' && tokens[at + 2]?.text !== ')',
  );
  return sets ? 'a statement that sets LAST_INSERT_ID' : undefined;
}

async function lockAndImage(
  request: PlanRequest,
  replaced: Replaced | undefined,
): Promise<CascadeImage | undefined> {
  const { view, sql, write, targets, ask, mode } = request;
  const acting = targets.filter((target) => actingReferences(target.table, fateOf(write, target)).length > 0);
  if (acting.length === 0 || (write.verb === 'insert' && !write.updatesDuplicates)) return undefined;
  if (write.verb === 'insert') {
    const inexact = acting.map((target) =>
      mark([target], 'the foreign keys that point at updated duplicates'),
    );
    return { locked: new Map(), reached: [], inexact };
  }
  const own: { table: Target['table']; fate: ReturnType<typeof fateOf>; rows: RawRow[] }[] = [];
  for (const target of acting) {
    const { table } = target;
    const answered =
      replaced === undefined
        ? (await ask(lockStatement(sql, write, target, { maxBytes: view.maxBytes, mode }))).map(([value]) =>
            value === null ? undefined : readImage(value, table),
          )
        : replaced.rows;
    const rows = answered.filter((row) => row !== undefined);
    own.push({ table, fate: fateOf(write, target), rows });
  }
  return imageCascades(view, own);
}

function unseen(write: RowWrite, inexact: Inexact): WritePlan {
  return { write, inexact: [inexact], noted: [] };
}

function mark(targets: readonly Target[], reason: string): Inexact {
  return { table: targets[0]?.table.name ?? null, fidelity: 'opaque', reason };
}
