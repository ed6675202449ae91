import type { SqlStatement } from '@indelible/core';
import { parseBytea } from './bytea.js';
import type { Row } from './event-row.js';
import type { PgClient, PgQuery } from './pg-pool.js';

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows that the statement touched. */
  readonly count: number;
}

const BYTEA = 17;
const asText = (value: string): string => value;
/** An application may have replaced node-postgres's own parsers, for numbers say. */
const RAW = { getTypeParser: (typeId: number) => (typeId === BYTEA ? parseBytea : asText) };

/** One connection, for as long as its user has it. */
export class Session {
  /** True once nobody may use the connection again. */
  broken = false;

  constructor(private readonly client: PgClient) {}

  async run(statement: SqlStatement): Promise<Answer> {
    return this.query(statement.sql, statement.params);
  }

  async query(sql: string, params: SqlStatement['params'] = []): Promise<Answer> {
    const query: PgQuery = { text: sql, values: [...params], rowMode: 'array', types: RAW };
    return toAnswer(await this.client.query(query));
  }

  /** Several statements in one round trip; each sees what was committed before it began. They take no parameters. */
  async script(sql: string): Promise<readonly Answer[]> {
    const result = await this.client.query({ text: sql, rowMode: 'array', types: RAW });
    return Array.isArray(result) ? result.map(toAnswer) : [toAnswer(result)];
  }
}

function toAnswer(result: unknown): Answer {
  if (typeof result !== 'object' || result === null || !('rows' in result) || !Array.isArray(result.rows)) {
    throw new TypeError('[indelible/postgres] pool: expected a pool of node-postgres (`new pg.Pool(…)`)');
  }
  const count = 'rowCount' in result && typeof result.rowCount === 'number' ? result.rowCount : 0;
  return { rows: result.rows, count };
}
