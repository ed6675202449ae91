import { type MysqlTable, positionOf } from './mysql-table.js';
import { quoteIdentifier } from './mysql-tokens.js';
import { bytesOf, ImageReader, imageExpression, type RawRow, valuesExpression } from './row-image.js';

/** Bytes that one variable takes before it is emptied into the other: appending costs the length of what is there. */
const SMALL = 16_384;
const ENOUGH = '~';
const MICROSECONDS = "TIMESTAMPDIFF(MICROSECOND,'1970-01-01',UTC_TIMESTAMP(6))";
/** When the expression itself is computed: while the row that it stands with is locked. UTC_TIMESTAMP is when the statement began. */
export const ROW_CLOCK = `${MICROSECONDS}+TIMESTAMPDIFF(MICROSECOND,NOW(6),SYSDATE(6))`;

/** One row that a statement has noted. */
export interface NotedRow {
  /** Undefined: too long to be told. */
  readonly before: RawRow | undefined;
  /** The key that it goes to, where the statement assigns it. */
  readonly nextKey: RawRow | undefined;
}

export interface Notes {
  readonly rows: readonly NotedRow[];
  /** There were more than the variables take. */
  readonly isCut: boolean;
}

/**
 * The value with the variable at hand: one that a session does not have yet when the statement is read stays NULL in it, also
 * behind its own assignments. What is never computed makes it.
 */
export function withVariable(variable: string, value: string): string {
  return `IF(0,${variable}:=_binary'',${value})`;
}

let counter = 0;
const process = Math.random().toString(36).slice(2, 8);

/**
 * Has a statement note each row that it touches, in variables of the session: as the row stands at the moment at which the
 * statement, which has it locked, changes it. What an earlier statement has left in them begins with another token.
 */
export class RowNote {
  readonly #token: string;
  readonly #small: string;
  readonly #large: string;

  constructor(
    private readonly table: MysqlTable,
    private readonly qualifier: string,
    private readonly index: number,
    private readonly maxBytes: number,
  ) {
    counter += 1;
    this.#token = `${process}${counter.toString(36)};`;
    this.#small = `@indelible_small${index}`;
    this.#large = `@indelible_large${index}`;
  }

  /** An expression that is true, and notes the row. */
  get note(): string {
    const appended = this.#append(imageExpression(this.qualifier, this.table, this.maxBytes / 4), true);
    return `LENGTH(${withVariable(this.#large, withVariable(this.#small, appended))})>0`;
  }

  /** An expression that is true, and notes the key that the row has by then. */
  get noteKey(): string {
    const key = this.table.key.flatMap((name) => this.table.columns.filter((column) => column.name === name));
    return `LENGTH(${this.#append(valuesExpression(this.qualifier, key), false)})>0`;
  }

  /** A condition that holds for the row that was noted last; it is false where none was. */
  get isLast(): string {
    const [alias, variables] = ['t', this.table.key.map((_, at) => `@indelible_key${this.index}_${at}`)];
    const parts = this.table.key.map((name, at) => `${alias}.${quoteIdentifier(name)} = ${variables[at]}`);
    return `${parts.join(' AND ')} AND ${this.#isOurs(this.#small)}`;
  }

  /** The columns of a query that gives what was noted: what the small variable holds behind what the large one does. */
  get columns(): string {
    return `${this.#noted(this.#large)},${this.#noted(this.#small)}`;
  }

  /** @param hasKeys the statement notes keys too */
  read(large: unknown, small: unknown, hasKeys: boolean): Notes {
    if (bytesOf(small).toString('latin1') === ENOUGH) return { rows: [], isCut: true };
    const reader = new ImageReader(Buffer.concat([bytesOf(large), bytesOf(small)]));
    const rows: NotedRow[] = [];
    while (!reader.isAtEnd) {
      const before = reader.row(this.table.columns.length);
      rows.push({ before, nextKey: hasKeys ? reader.row(this.table.key.length) : undefined });
    }
    return { rows, isCut: false };
  }

  #append(image: string, hasKey: boolean): string {
    const [small, large] = [this.#small, this.#large];
    const token = `_binary'${this.#token}'`;
    const keep = hasKey
      ? this.table.key
          .map(
            (name, at) =>
              `,LEFT(@indelible_key${this.index}_${at}:=${this.qualifier}.${quoteIdentifier(name)},0)`,
          )
          .join('')
      : '';
    // Beyond what a text of the server can hold nothing is noted any more: not a byte of it would be told.
    const emptied = `IF(LENGTH(${large}:=CONCAT(IF(${this.#isOurs(large)},${large},${token}),${this.#rest(small)}))>${this.maxBytes},NULL,${token})`;
    const before = `IF(${this.#isOurs(small)},IF(LENGTH(${small})<${SMALL},${small},${emptied}),${token})`;
    // No row begins with it. The row itself is told in one place only: the server reads the whole text for each statement anew.
    const full = `_binary'${this.#token}${ENOUGH}'`;
    return `${small}:=IF(${small}<=>${full},${small},IFNULL(CONCAT(${before},${image}${keep}),${full}))`;
  }

  #isOurs(variable: string): string {
    return `LEFT(${variable},${this.#token.length})=_binary'${this.#token}'`;
  }

  #rest(variable: string): string {
    return `SUBSTRING(${variable},${this.#token.length + 1})`;
  }

  #noted(variable: string): string {
    return `IF(${this.#isOurs(variable)},CONVERT(${this.#rest(variable)} USING binary),_binary'')`;
  }
}

/** What is asked right behind a statement that notes rows: how many it counts, when, and what was noted. */
export function askNotes(
  notes: readonly RowNote[],
  alone: { readonly note: RowNote; readonly table: MysqlTable; readonly maxBytes: number } | undefined,
): string {
  const list = ['ROW_COUNT()', MICROSECONDS, ...notes.map(({ columns }) => columns)];
  if (alone === undefined) return `SELECT ${list.join(',')}`;
  const image = `IF(t.${quoteIdentifier(alone.table.key[0] ?? '')} IS NULL,NULL,${imageExpression('t', alone.table, alone.maxBytes / 4)})`;
  return `SELECT ${[...list, image].join(',')} FROM (SELECT 1 AS one) AS o LEFT JOIN ${alone.table.sqlName} AS t ON ${alone.note.isLast} FOR UPDATE`;
}

export function keyOf(table: MysqlTable, raw: RawRow): string {
  return keyText(table.key.map((name) => raw[positionOf(table, name)] ?? null));
}

export function keyText(values: RawRow): string {
  return JSON.stringify(values.map((value) => value?.toString('latin1') ?? null));
}
