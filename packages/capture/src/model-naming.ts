import type { ModelCaptureOptions } from './capture-options.js';
import type { TableName } from './dialect.js';

/** What the ORM says a column holds. */
export type FieldType =
  | 'string'
  | 'int'
  | 'bigint'
  | 'float'
  | 'decimal'
  | 'boolean'
  | 'datetime'
  | 'json'
  | 'bytes';

export interface FieldNaming {
  readonly name: string;
  readonly type: FieldType;
}

/** A table in the words of the ORM. */
export interface ModelNaming {
  readonly name: string;
  /**
   * By column name, and where letters of a case of their own make no name of their own by the folded name too. A column
   * that is not in it keeps its own name.
   */
  readonly fields: ReadonlyMap<string, FieldNaming>;
  /** True for the relation table of a many-to-many relation: its rows are links. */
  readonly isLink: boolean;
  /** What the model itself says of how it is captured; false: not at all. Options of the same model add to it. @default nothing */
  readonly capture?: ModelCaptureOptions | false;
}

/** How an ORM package names tables. Undefined: the ORM does not know the table. */
export type NameModel = (table: TableName) => ModelNaming | undefined;

const DECLARED_TYPES: readonly (readonly [RegExp, FieldType])[] = [
  [/^bool/i, 'boolean'],
  [/^(?:datetime|timestamp)/i, 'datetime'],
  [/^jsonb?\b/i, 'json'],
  [/^(?:decimal|numeric)/i, 'decimal'],
  [/^(?:bigint|int8|big\s*int)/i, 'bigint'],
  [/int/i, 'int'],
  [/^(?:real|doub|floa)/i, 'float'],
  [/^(?:blob|bytea)/i, 'bytes'],
];

/** The field type that a declared column type suggests, for tables that the ORM does not know. */
export function typeFromDeclaration(declaredType: string): FieldType {
  return DECLARED_TYPES.find(([pattern]) => pattern.test(declaredType))?.[1] ?? 'string';
}
