/** Options for one model. */
export interface ModelCaptureOptions {
  /** Fields, or columns, that are recorded nowhere. An update that touches only these records nothing. */
  readonly exclude?: readonly string[];
  /** The field whose setting is a soft delete; false: none. @default `deletedAt` or `deleted_at` where there is one */
  readonly softDelete?: string | false;
}

/** What an ORM package captures. */
export interface CaptureOptions {
  /** Only these models or tables. @default all */
  readonly only?: readonly string[];
  /** Not these models or tables. @default none */
  readonly exclude?: readonly string[];
  /** By model or table name. */
  readonly models?: Readonly<Record<string, ModelCaptureOptions>>;
  /** An update's `before` and `after` hold the changed fields, or the full row. @default 'changed' */
  readonly snapshot?: 'changed' | 'full';
  /** Refuses with `AUDIT_NOT_EXACT`, before anything is written, what can not be captured exactly. @default false */
  readonly strict?: boolean;
  /** Rows imaged for one statement; beyond it the event counts them only. @default 10_000 */
  readonly maxRows?: number;
  /**
   * Models whose rows are recorded when they are shown to somebody: who saw which ids. They are named as their models, not as
   * tables. @default none
   */
  readonly reads?: readonly string[];
}

export interface CheckedCaptureOptions {
  readonly only: ReadonlySet<string> | undefined;
  readonly exclude: ReadonlySet<string>;
  readonly models: ReadonlyMap<string, ModelCaptureOptions>;
  readonly snapshot: 'changed' | 'full';
  readonly strict: boolean;
  readonly maxRows: number;
}

const KNOWN = new Set(['only', 'exclude', 'models', 'snapshot', 'strict', 'maxRows', 'reads']);

/**
 * Checks and copies the options.
 * @throws TypeError names the option and what it takes
 */
export function checkCaptureOptions(options: CaptureOptions = {}): CheckedCaptureOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) throw new TypeError(`unknown option "${name}": known are ${[...KNOWN].join(', ')}`);
  }
  const { only, exclude, reads, models, snapshot = 'changed', strict = false, maxRows = 10_000 } = options;
  if (snapshot !== 'changed' && snapshot !== 'full') {
    throw new TypeError(`option "snapshot" takes 'changed' or 'full', not ${String(snapshot)}`);
  }
  if (typeof strict !== 'boolean') throw new TypeError('option "strict" takes true or false');
  if (!Number.isSafeInteger(maxRows) || maxRows < 1) {
    throw new TypeError('option "maxRows" takes a whole number from 1 up');
  }
  for (const [name, list] of [
    ['only', only],
    ['exclude', exclude],
    ['reads', reads],
  ] as const) {
    if (list !== undefined && !(Array.isArray(list) && list.every((entry) => typeof entry === 'string'))) {
      throw new TypeError(`option "${name}" takes an array of model or table names`);
    }
  }
  return Object.freeze({
    only: only === undefined ? undefined : new Set(only),
    exclude: new Set(exclude),
    models: new Map(Object.entries(models ?? {})),
    snapshot,
    strict,
    maxRows,
  });
}
