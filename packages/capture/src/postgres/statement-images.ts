import type { SessionOptions } from '../dialect.js';
import type { PostgresSchema } from './postgres-schema.js';
import type { PostgresTable } from './postgres-table.js';
import { hasLongValues, type ImageLimits } from './row-image.js';

/** What of each table's rows one statement leaves on the server: the same to its end, because its images are compared. */
export class StatementImages {
  /** By oid. */
  readonly #limits = new Map<string, ImageLimits | undefined>();

  constructor(
    private readonly schema: PostgresSchema,
    private readonly options: Pick<SessionOptions, 'limits'>,
  ) {}

  of(table: PostgresTable): ImageLimits | undefined {
    if (!this.#limits.has(table.oid)) {
      if (this.schema.isWide(table)) this.limit(table);
      else this.#limits.set(table.oid, undefined);
    }
    return this.#limits.get(table.oid);
  }

  /** The statement may bring large values to the table. */
  limit(table: PostgresTable): void {
    const { schema, options } = this;
    this.#limits.set(table.oid, hasLongValues(table) ? schema.imageLimits(options.limits()) : undefined);
  }

  clear(): void {
    this.#limits.clear();
  }
}
