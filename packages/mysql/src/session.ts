import type { SqlStatement } from '@indelible/core';
import type { Row } from './event-row.js';
import type { MysqlConnection, MysqlQuery } from './mysql-pool.js';

export interface Answer {
  readonly rows: readonly Row[];
  /** Rows that the statement touched. */
  readonly count: number;
}

/** Whole numbers come as texts or bigints, bytes as Buffers. */
const RAW = {
  rowsAsArray: true,
  nestTables: false,
  namedPlaceholders: false,
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  metaAsArray: false,
  bigIntAsNumber: false,
} as const satisfies Omit<MysqlQuery, 'sql'> & Record<string, boolean>;

/** An application may have parsers of its own on its pool, and only a function takes their place. */
const RAW_AMONG_OTHERS = { ...RAW, typeCast: (_field: unknown, next: () => unknown) => next() };

/** One connection, for as long as its user has it. */
export class Session {
  /** True once nobody may use the connection again. */
  broken = false;
  /** `max_allowed_packet`: so many bytes may one statement have. */
  maxPacket = 1024 * 1024;

  private readonly options: Omit<MysqlQuery, 'sql'>;

  constructor(
    private readonly connection: MysqlConnection,
    /** True where the connection is the store's own, and was set up by it. */
    readonly isOwn: boolean,
  ) {
    this.options = isOwn ? RAW : RAW_AMONG_OTHERS;
  }

  /** As a prepared statement: no text of the caller's is ever put into SQL, whatever the session's sql_mode is. */
  async query(sql: string, params: SqlStatement['params'] = []): Promise<Answer> {
    return toAnswer(await this.connection.execute({ ...this.options, sql }, [...params]));
  }

  /** A statement without parameters, of those that can not be prepared too. */
  async run(sql: string): Promise<Answer> {
    return toAnswer(await this.connection.query({ ...this.options, sql }));
  }
}

/** mysql2 answers with rows or a header, and fields; mariadb with one of the former. */
function toAnswer(result: unknown): Answer {
  const isPair = Array.isArray(result) && !('meta' in result);
  const answer: unknown = isPair ? result[0] : result;
  if (Array.isArray(answer)) return { rows: answer, count: 0 };
  if (typeof answer !== 'object' || answer === null || !('affectedRows' in answer)) {
    throw new TypeError('[indelible/mysql] pool: expected a pool of mysql2/promise or mariadb');
  }
  return { rows: [], count: Number(answer.affectedRows) };
}
