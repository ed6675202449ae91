import type { EngineRows, Inexact } from '../dialect.js';
import {
  beyondLimit,
  type CascadeImage,
  fatesOf,
  imageCascades,
  reachableTables,
  type SchemaView,
} from './cascades.js';
import { LockColumn, lockStatement } from './lock-statement.js';
import type { PostgresTable } from './postgres-catalogue.js';
import { readImage } from './row-image.js';
import type { RowWrite } from './write-shape.js';

const ROWS_PER_JOIN = 4;

export interface ImageRequest {
  readonly view: SchemaView;
  readonly sql: string;
  readonly write: RowWrite;
  readonly table: PostgresTable;
  /** Runs another text with the caller's parameters. @default nothing can be asked for before the statement runs */
  readonly ask?: ((sql: string) => Promise<EngineRows>) | undefined;
  /** Throws where the tables are not what they were thought to be, or the names of another scope. */
  readonly check: (
    told: { readonly state: unknown; readonly scope: unknown },
    tables: readonly PostgresTable[],
  ) => void;
  /** What stands in front of the query that finds the rows. @default what stands in front of the write */
  readonly prefix?: string | undefined;
  /** The tables into which the whole statement inserts, by their roots: what is inserted may be reached too. */
  readonly inserted?: ReadonlySet<string>;
}

/**
 * Locks the rows of the write, and reads those that foreign keys reach from them.
 * @returns undefined where the rows can not be locked before it runs; no image where they are too many
 */
export async function imageRows({
  view,
  sql,
  write,
  table,
  ask,
  check,
  prefix,
  inserted = new Set(write.merge?.inserts === true ? [table.root] : []),
}: ImageRequest): Promise<CascadeImage | Pick<CascadeImage, 'inexact'> | undefined> {
  if (write.verb === 'insert' || write.merge?.isBySource === true || ask === undefined) return undefined;
  // SELECT FOR UPDATE needs the right to update, and its policies.
  if (!table.mayLock || table.hasRowSecurity) return undefined;
  const fates = fatesOf(write, table);
  const reached = new Set<string>();
  const all = new Map<string, PostgresTable>();
  for (const fate of fates) {
    for (const one of await reachableTables(view, table, fate, reached)) all.set(one.oid, one);
  }
  if ([...inserted].some((root) => reached.has(root))) return undefined;
  const tables = [...all.values()];
  // A row that joins with several others comes as often.
  const limit = isJoined(sql, write) ? view.maxRows * ROWS_PER_JOIN : view.maxRows;
  const lock = lockStatement(sql, write, table, tables, limit + 1, view.imagesOf(table), prefix);
  if (lock === undefined) return undefined;
  const rows = await ask(lock);
  const [first] = rows;
  if (first !== undefined) check({ state: first[LockColumn.state], scope: first[LockColumn.scope] }, tables);
  const texts = new Set(rows.map((row) => readImage(table, row[LockColumn.row]) ?? ''));
  if (rows.length > limit || texts.size > view.maxRows) {
    const further = tables.filter(({ oid, name }) => oid !== table.oid && !view.ignores(name));
    return { inexact: further.map((child) => beyondLimit(child.name, table, view.maxRows)) };
  }
  const images: CascadeImage[] = [];
  for (const fate of fates) images.push(await imageCascades(view, table, fate, [...texts]));
  return inOneImage(images, texts);
}

/** What one of several fates reaches may be reached by another one too. */
function inOneImage(images: readonly CascadeImage[], locked: ReadonlySet<string>): CascadeImage {
  const inexact = new Map<string, Inexact>();
  for (const one of images.flatMap((image) => image.inexact)) {
    inexact.set(`${one.table?.schema} ${one.table?.name} ${one.reason}`, one);
  }
  return { locked, reached: images.flatMap(({ reached }) => reached), inexact: [...inexact.values()] };
}

export function isJoined(sql: string, { sources, merge }: RowWrite): boolean {
  return (
    merge !== undefined ||
    (sources !== null && /^(?:using|from)\b/i.test(sql.slice(sources.start, sources.end)))
  );
}
