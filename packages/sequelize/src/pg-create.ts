import { type AnswerPg, readProperty as read } from '@indelible/capture';

/** The INSERT within the function that Sequelize makes, calls and drops for `findOrCreate`. */
export interface GuardedInsert {
  readonly insert: string;
  /** The columns that it answers with, quoted. */
  readonly returning: readonly string[];
}

const FORM =
  /^CREATE OR REPLACE FUNCTION pg_temp\.testfunc\(OUT response .+?, OUT sequelize_caught_exception text\) RETURNS RECORD AS (\$func_[0-9a-f]{32}\$) BEGIN (INSERT INTO [\s\S]+) RETURNING \* INTO response; EXCEPTION WHEN unique_violation THEN GET STACKED DIAGNOSTICS sequelize_caught_exception = PG_EXCEPTION_DETAIL; END (\$func_[0-9a-f]{32}\$) LANGUAGE plpgsql; SELECT ([\s\S]+?), testfunc\.sequelize_caught_exception FROM pg_temp\.testfunc\(\); DROP FUNCTION IF EXISTS pg_temp\.testfunc\(\);?$/;
const COLUMN = '(testfunc.response).';
const UNIQUE_VIOLATION = '23505';
const SAVEPOINT = 'indelible_create';

/**
 * Reads the text by which Sequelize's `findOrCreate` inserts a row and is told of one that is there already, without its
 * transaction being aborted. It hides the INSERT in a function, where nobody sees its rows.
 */
export function readCreate(sql: string): GuardedInsert | undefined {
  if (!sql.startsWith('CREATE OR REPLACE FUNCTION pg_temp.testfunc(')) return undefined;
  const [, opened, insert, closed, list] = FORM.exec(sql) ?? [];
  if (insert === undefined || list === undefined || opened !== closed) return undefined;
  const returning = list.split(`, ${COLUMN}`).map((column) => column.replace(COLUMN, ''));
  return { insert, returning };
}

/**
 * Does in the open transaction what the function does, by a savepoint: the INSERT is seen by itself.
 * @returns what the function would have answered, as far as Sequelize reads it
 */
export const answerCreate: AnswerPg = (sql, run, runnable) => {
  const create = readCreate(sql);
  if (create === undefined) return undefined;
  const send = async (text: string): Promise<unknown> => (await run(...runnable({ text })))();
  return createOne(create, send);
};

async function createOne(
  { insert, returning }: GuardedInsert,
  send: (text: string) => Promise<unknown>,
): Promise<unknown> {
  await send(`SAVEPOINT ${SAVEPOINT}`);
  let row: object;
  try {
    const answer = await send(`${insert} RETURNING ${returning.join(', ')}`);
    const rows = read(answer, 'rows');
    row = { ...(Array.isArray(rows) ? rows[0] : undefined), sequelize_caught_exception: null };
  } catch (error) {
    if (read(error, 'code') !== UNIQUE_VIOLATION) throw error;
    await send(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    row = { sequelize_caught_exception: read(error, 'detail') };
  }
  await send(`RELEASE SAVEPOINT ${SAVEPOINT}`);
  return { command: 'SELECT', rowCount: 1, rows: [row] };
}
