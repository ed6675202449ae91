import type { EngineRows, Inexact, Readiness, Rewritten } from '../dialect.js';
import type { WritePlan } from './plan-write.js';

/** One of the writes that a statement consists of. */
export interface PlannedWrite {
  readonly plan: WritePlan;
  /** Its rows among those of the answer. @default all of them */
  readonly rowsOf?: (answer: EngineRows) => EngineRows;
}

/** How one statement, or one string of them, is captured. */
export interface StatementPlan {
  /** The statements that are seen, one after the other, with the writes of each. */
  readonly steps: readonly (readonly PlannedWrite[])[];
  /** What shows before it runs. */
  readonly inexact: readonly Inexact[];
  /** Undefined where it runs as it was written. */
  readonly rewritten?: Rewritten;
  /** Triggers record all that it writes: the session sees none of it. */
  readonly left?: Readiness;
}

export function plansOf(plan: Pick<StatementPlan, 'steps'> | undefined): readonly WritePlan[] {
  return plan?.steps.flat().map((write) => write.plan) ?? [];
}
