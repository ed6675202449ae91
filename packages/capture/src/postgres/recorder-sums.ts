// Made from ../postgres-triggers/sql/*.sql by scripts/compile-functions.mjs.

/** What `functionsSumExpression` gives for the functions of @indelible/postgres-triggers, by their versions. */
export const RECORDER_SUMS: readonly string[] = ['114d20743ddaa26da28f049c92aa9a49'];
