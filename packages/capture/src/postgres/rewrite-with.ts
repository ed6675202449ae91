import type { EngineRows, Rewritten } from '../dialect.js';
import { type Edit, edited } from './edit-text.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { quoteIdentifier } from './quote-identifier.js';
import { countColumn, limitClause, limitSent, type RowLimit } from './row-limit.js';
import { ENGINE_COLUMNS, returning, type WriteForm } from './write-form.js';
import type { ReturnedColumn, RowWrite, WritingQuery, WritingWith } from './write-shape.js';

/** A write of the statement that shows its rows. */
export interface ShownWrite {
  readonly write: RowWrite;
  readonly table: PostgresTable;
  readonly form: WriteForm;
  /** Where it may touch more rows than are imaged. */
  readonly limit?: RowLimit | undefined;
}

export interface RewrittenWith {
  readonly rewritten: Rewritten;
  /** The rows of a write among those of the answer, by `EngineColumn`; behind them, where it is limited, their count. */
  rowsOf(write: RowWrite, answer: EngineRows): EngineRows;
}

const MAIN = 'indelible_main';
const COLUMN = 'indelible_c';
/** Of a branch: its number, what it shows, and how many rows it has. */
const COLUMNS = Array.from({ length: ENGINE_COLUMNS + 2 }, (_, at) => `indelible_e${at}`);
const NO_BRANCH = `SELECT ${COLUMNS.map((column) => `NULL::text AS ${column}`).join(', ')} WHERE false`;

/**
 * True if what is added to the query can be kept from those who read it: the names of what it returns are known, or nobody
 * reads it. One that returns nothing can not be read, and its name may stand for a table.
 */
export function canBeShown({ write: { returned }, isNamed }: WritingQuery): boolean {
  return !isNamed || (returned !== undefined && returned !== null);
}

/**
 * One statement that runs the same writes in the same order. What stands behind the queries becomes the last one of them,
 * and the statement gives first its rows, then those of the others, in the order in which the database would have run
 * them: those that nobody has read by then from the last one to the first (ExecPostprocessPlan, execMain.c). So it goes
 * twice through what it selects from: LATERAL and OFFSET 0 keep the planner from doing that in another order. A UNION would
 * do, but its columns are of no table, which drivers tell of those of the caller.
 *
 * @param shown those of its writes that are to be seen
 */
export function rewriteWith(sql: string, shape: WritingWith, shown: readonly ShownWrite[]): RewrittenWith {
  const edits: Edit[] = [];
  const branches: string[] = [];
  for (const [at, query] of shape.queries.entries()) {
    const found = shown.find(({ write }) => write === query.write);
    if (found === undefined) continue;
    edits.push(...showQuery(sql, query, found, `indelible_w${at}`));
    branches.unshift(branchOf(`indelible_w${at}`, at, found));
  }
  const main = shown.find(({ write }) => write === shape.main);
  const returnsRows = shape.main.verb === 'query' || shape.main.returning !== null;
  const mainLimit = returnsRows ? undefined : main?.limit;
  const mainColumns = main === undefined ? 0 : main.form.own.length + main.form.further.length;
  edits.push(...showMain(shape, main, returnsRows));
  edits.push({ at: shape.mainText.end, text: `) ${selectAll(branches, mainLimit)}` });
  // Behind the columns of the main statement its count, and a mark that a row is one of its.
  const owner = mainColumns + 2;
  const command = (shape.main.verb === 'query' ? 'select' : shape.main.verb).toUpperCase();
  return {
    rewritten: {
      sql: edited(sql, edits, { start: 0, end: shape.mainText.end }),
      columns: owner + 1 + ENGINE_COLUMNS + 1,
      returnsRows,
      own: owner,
      ...(mainLimit === undefined ? {} : { count: mainColumns }),
      command,
    },
    rowsOf: (write, answer) => {
      if (write === shape.main) {
        const rows = answer.filter((row) => (row[owner] ?? null) === null);
        return rows.map((row) => [...row.slice(0, ENGINE_COLUMNS), row[mainColumns]]);
      }
      const number = String(shape.queries.findIndex((query) => query.write === write));
      return answer.filter((row) => row[owner] === number).map((row) => row.slice(owner + 1));
    },
  };
}

/** The rows of the main statement, then those of the branches; where one of the two gives none, a row of nobody's. */
function selectAll(branches: readonly string[], limit: RowLimit | undefined): string {
  const count = limit === undefined ? 'NULL::text' : countColumn(MAIN, limit);
  const ends = limit === undefined ? 'OFFSET 0' : limitClause(MAIN, limit);
  const others = branches.length === 0 ? NO_BRANCH : branches.join(' UNION ALL ');
  const columns = COLUMNS.slice(1).map((column) => `e.${column}`);
  return `SELECT m.*, CASE WHEN m.indelible_here IS NULL THEN coalesce(e.${COLUMNS[0]}, '') END AS indelible_own, ${columns.join(', ')}
    FROM (VALUES (1), (2)) AS indelible_k(n)
    LEFT JOIN LATERAL (SELECT x.*, ${count} AS indelible_count, '1'::text AS indelible_here FROM ${MAIN} x WHERE indelible_k.n = 1 ${ends}) m ON true
    LEFT JOIN LATERAL (SELECT * FROM (${others}) u WHERE indelible_k.n = 2 OFFSET 0) e ON true`;
}

/** The query under a name of ours, with our columns, and under its own name what it gave before. */
function showQuery(
  sql: string,
  query: WritingQuery,
  { write, table, form }: ShownWrite,
  name: string,
): readonly Edit[] {
  const { head, name: named, close, isNamed } = query;
  const columns = [...form.own, ...form.further];
  const returned = isNamed && write.returning !== null ? namesOf(write.returned ?? [], table) : undefined;
  const list = returned?.map((_, at) => `${COLUMN}${at}`);
  const own = `${name}${list === undefined || list.length === 0 ? '' : `(${list.join(', ')})`} AS (`;
  const given = list?.map((column, at) => `${column} AS ${quoteIdentifier(returned?.[at] ?? '')}`).join(', ');
  const asBefore =
    given === undefined
      ? ''
      : `, ${sql.slice(named.start, named.end)} AS NOT MATERIALIZED (SELECT ${given} FROM ${name})`;
  return [
    { at: head.start, until: head.end, text: own },
    ...form.edits,
    returning(write, columns),
    { at: close.end, text: asBefore },
  ];
}

function namesOf(returned: readonly ReturnedColumn[], table: PostgresTable): readonly string[] {
  return returned.flatMap((column) =>
    'name' in column ? [column.name] : table.columns.map(({ name }) => name),
  );
}

function showMain(
  { mainText, main }: WritingWith,
  shown: ShownWrite | undefined,
  returnsRows: boolean,
): readonly Edit[] {
  const start = { at: mainText.start, text: `, ${MAIN} AS ${main.verb === 'query' ? 'MATERIALIZED ' : ''}(` };
  if (shown === undefined) return [start];
  const { write, form, limit } = shown;
  const own = limit !== undefined && returnsRows ? limitSent(form.own, limit) : form.own;
  return [start, ...form.edits, returning(write, [...own, ...form.further])];
}

/** The rows of a query, behind its number. */
function branchOf(name: string, at: number, { limit }: ShownWrite): string {
  const own = Array.from({ length: ENGINE_COLUMNS }, (_, column) => `indelible_${column}`);
  const values = [`'${at}'::text`, ...own, limit === undefined ? 'NULL::text' : countColumn(name, limit)];
  const list = values.map((value, column) => `${value} AS ${COLUMNS[column]}`);
  return `(SELECT ${list.join(', ')} FROM ${name} ${limit === undefined ? '' : limitClause(name, limit)})`;
}
