import type { CaptureConnection, TableName } from '../dialect.js';
import type { Statement } from '../statement.js';
import { readSqliteCatalogue, type SqliteCatalogue } from './sqlite-catalogue.js';
import { planWrite, type WritePlan } from './write-plan.js';

/** The catalogue and the plans that follow from it, shared by all connections to one database. */
export class SqliteCatalogueCache {
  #catalogue: SqliteCatalogue | undefined;
  #plans = new WeakMap<Statement, WritePlan>();

  async get(connection: CaptureConnection, version: number): Promise<SqliteCatalogue> {
    if (this.#catalogue?.version === version) return this.#catalogue;
    const catalogue = await readSqliteCatalogue(connection, version);
    this.#catalogue = catalogue;
    this.#plans = new WeakMap();
    return catalogue;
  }

  plan(catalogue: SqliteCatalogue, statement: Statement, ignores: (table: TableName) => boolean): WritePlan {
    const isCurrent = catalogue === this.#catalogue;
    const known = isCurrent ? this.#plans.get(statement) : undefined;
    if (known !== undefined) return known;
    const plan = planWrite(catalogue, statement, (table) => ignores(table.name));
    if (isCurrent) this.#plans.set(statement, plan);
    return plan;
  }
}
