import type { EngineRows, Rewritten } from '../dialect.js';
import { edited } from './edit-text.js';
import { readPostgresStatement } from './postgres-statement.js';
import type { PlannedWrite, StatementPlan } from './statement-plan.js';
import { settingChangedBy } from './unsafe-settings.js';
import type { Span, WriteShape } from './write-shape.js';

const AS_IT_IS = { columns: 0, returnsRows: true };

/**
 * True where what the statement does in one string with others can be seen: nothing of it ends the transaction, changes
 * what names or texts mean, or writes what must be read before it runs.
 */
export function canStandWithOthers(sql: string, shape: WriteShape): boolean {
  const { kind, movesNames } = readPostgresStatement(sql);
  if (movesNames === true || settingChangedBy(sql) !== undefined) return false;
  if (kind === 'read' || kind === 'other') return true;
  return kind === 'write' && !['unreadable', 'truncate', 'several'].includes(shape.verb);
}

/**
 * The string stays one, so that the server takes it as it would have.
 * @param plans of its statements; undefined for one that runs as it was written
 */
export function planSeveral(
  sql: string,
  statements: readonly Span[],
  plans: readonly (StatementPlan | undefined)[],
): StatementPlan {
  const inexact = plans.flatMap((plan) => plan?.inexact ?? []);
  const steps = plans.map((plan, at) => (plan?.steps ?? []).flat().map((write) => numbered(write, at)));
  if (steps.every(({ length }) => length === 0)) return { steps: [], inexact };
  const edits = statements.flatMap(({ start, end }, at) => {
    const text = plans[at]?.rewritten?.sql;
    return text === undefined ? [] : [{ at: start, until: end, text }];
  });
  const parts = plans.map((plan): Omit<Rewritten, 'sql' | 'parts'> => plan?.rewritten ?? AS_IT_IS);
  return {
    steps: steps.filter(({ length }) => length > 0),
    inexact,
    rewritten: { sql: edited(sql, edits), ...AS_IT_IS, parts },
  };
}

/** The rows of a write among those of all statements. */
function numbered({ plan, rowsOf = (rows) => rows }: PlannedWrite, at: number): PlannedWrite {
  return {
    plan,
    rowsOf: (rows: EngineRows) => rowsOf(rows.filter(([number]) => number === at).map((row) => row.slice(1))),
  };
}
