import type { PostgresTable } from './postgres-table.js';

/**
 * Which triggers may be left to record a table: those that write to the audit's own store, and that do what they should. Where
 * they are not, the engine records the table as if it had none, and rather tells a change twice than not at all.
 */
export class TrustedRecorders {
  #storeSchema: string | undefined;
  /** By oid, as which triggers it was that did not say that they fired. */
  readonly #unproven = new Map<string, string>();
  readonly #silent = new Map<string, string>();
  readonly #without = new WeakMap<PostgresTable, PostgresTable>();

  /** @param storeSchema that of the audit tables that the audit writes to; undefined: not known yet */
  writeTo(storeSchema: string | undefined): void {
    this.#storeSchema = storeSchema ?? this.#storeSchema;
  }

  /** The triggers were thought to record a write, and did not say so. A table that was altered meanwhile is another one. */
  noteUnproven({ oid, effects }: PostgresTable): void {
    if (this.#unproven.get(oid) === effects) this.#silent.set(oid, effects);
    this.#unproven.set(oid, effects);
  }

  /** @returns the table, with no recorders where they can not be trusted */
  judge(table: PostgresTable): PostgresTable {
    if (table.recorders.size === 0 || this.#isTrusted(table)) return table;
    // Events are named once for each object.
    const known = this.#without.get(table);
    if (known !== undefined) return known;
    const without: PostgresTable = { ...table, recorders: new Map(), provenRecorders: new Set() };
    this.#without.set(table, without);
    return without;
  }

  #isTrusted({ oid, effects, recorderSchemas }: PostgresTable): boolean {
    const own = this.#storeSchema;
    const isElsewhere = own !== undefined && [...recorderSchemas].some((schema) => schema !== own);
    return !isElsewhere && this.#silent.get(oid) !== effects;
  }
}
