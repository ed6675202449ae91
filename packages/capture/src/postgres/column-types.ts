import { cellText } from './json-cells.js';
import type { ValueFormat } from './postgres-table.js';
import { quoteIdentifier } from './quote-identifier.js';

/** What a column's type is, in the terms of the catalogue and of ours. */
export interface ColumnType {
  readonly declared: string;
  readonly cast: string;
  readonly format: ValueFormat;
}

interface CatalogueType {
  readonly cast: string;
  readonly isBuiltIn: boolean;
  /** A domain's base type. */
  readonly base: string;
  /** An array's type of items. */
  readonly item: string;
  readonly delimiter: string;
  /** As `format_type` gives it. */
  readonly formatted: string;
}

const NONE = '0';
const TEXT: ValueFormat = { kind: 'text' };
/** By oid: those of the types that PostgreSQL brings along never change (pg_type.dat). */
const SCALARS: Readonly<Record<string, ValueFormat>> = {
  16: { kind: 'boolean' },
  17: { kind: 'bytes' },
  20: { kind: 'integer' },
  21: { kind: 'integer' },
  23: { kind: 'integer' },
  26: { kind: 'integer' },
  700: { kind: 'real' },
  701: { kind: 'real' },
};

/** The types that the columns of a table have or consist of. */
export class ColumnTypes {
  readonly #types = new Map<string, CatalogueType>();

  /** @param rows oid, schema, name, oid of the base type, oid of the items' type, its delimiter, its formatted name */
  constructor(rows: readonly (readonly unknown[])[]) {
    for (const [oid, schema, name, base, item, delimiter, formatted] of rows) {
      this.#types.set(cellText(oid), {
        cast: `${quoteIdentifier(cellText(schema))}.${quoteIdentifier(cellText(name))}`,
        isBuiltIn: schema === 'pg_catalog',
        base: cellText(base),
        item: cellText(item),
        delimiter: cellText(delimiter),
        formatted: cellText(formatted),
      });
    }
  }

  /** @param formatted as `format_type` gives it, with the modifier of the column */
  describe(oid: string, formatted: string): ColumnType {
    const type = this.#types.get(oid);
    const isBuiltIn = type?.isBuiltIn === true && (type.item === NONE || this.#isBuiltIn(type.item));
    return {
      // Its schema is told where the search path hides it behind somebody else's type.
      declared: isBuiltIn ? formatted.replace(/^pg_catalog\./, '') : this.#declared(oid),
      cast: this.#cast(oid),
      format: this.#format(oid),
    };
  }

  #isBuiltIn(oid: string): boolean {
    return this.#types.get(oid)?.isBuiltIn === true;
  }

  /** A domain goes by its base type. A type of somebody's own is quoted, so that no name is taken for a built-in one. */
  #declared(oid: string): string {
    const type = this.#types.get(oid);
    if (type === undefined) return '';
    if (type.base !== NONE) return this.#declared(type.base);
    if (type.item !== NONE) return `${this.#declared(type.item)}[]`;
    return type.isBuiltIn ? type.formatted : type.cast;
  }

  #cast(oid: string): string {
    const type = this.#types.get(oid);
    if (type === undefined) return '';
    return type.item === NONE ? type.cast : `${this.#cast(type.item)}[]`;
  }

  #format(oid: string): ValueFormat {
    const type = this.#types.get(oid);
    if (type === undefined) return TEXT;
    if (type.base !== NONE) return this.#format(type.base);
    if (type.item === NONE) return SCALARS[oid] ?? TEXT;
    const delimiter = this.#types.get(type.item)?.delimiter ?? ',';
    return { kind: 'list', item: this.#format(type.item), delimiter };
  }
}
