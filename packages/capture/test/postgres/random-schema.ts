import fc from 'fast-check';

export interface RandomColumn {
  readonly name: string;
  /** Which values fit. */
  readonly kind: 'number' | 'text' | 'decimal' | 'instant' | 'json' | 'list' | 'boolean';
}

export interface RandomTable {
  readonly name: string;
  readonly key: readonly RandomColumn[];
  /** Those that may be assigned, the key among them. */
  readonly columns: readonly RandomColumn[];
  readonly sql: string;
}

export interface RandomSchema {
  readonly tables: readonly RandomTable[];
  /** Makes all of it, in order. */
  readonly script: string;
}

const ACTIONS = ['CASCADE', 'CASCADE', 'SET NULL', 'SET DEFAULT', 'NO ACTION', 'RESTRICT'] as const;
const TYPES: Readonly<Record<RandomColumn['kind'], string>> = {
  number: 'int',
  text: 'text',
  decimal: 'numeric(6,2)',
  instant: 'timestamptz',
  json: 'jsonb',
  list: 'int[]',
  boolean: 'boolean',
};

/** How one table refers to an earlier one, or to itself. */
interface RandomReference {
  /** By its place, counted from this table backwards: 0 is itself. */
  readonly back: number;
  readonly onDelete: (typeof ACTIONS)[number];
  readonly onUpdate: (typeof ACTIONS)[number];
  readonly isDeferred: boolean;
  /** The columns are the table's own key. */
  readonly isKey: boolean;
}

const reference: fc.Arbitrary<RandomReference> = fc.record({
  back: fc.integer({ min: 0, max: 3 }),
  onDelete: fc.constantFrom(...ACTIONS),
  onUpdate: fc.constantFrom(...ACTIONS),
  isDeferred: fc.boolean(),
  isKey: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
});

interface RandomShape {
  readonly key: 'number' | 'text' | 'both';
  readonly references: readonly RandomReference[];
  readonly further: readonly RandomColumn['kind'][];
  readonly isPartitioned: boolean;
  readonly triggers: readonly string[];
}

/** Triggers that edit the row in hand, or keep it from being written. */
const TRIGGERS: Readonly<Record<string, string>> = {
  grow: 'BEFORE INSERT OR UPDATE',
  keep: 'BEFORE DELETE',
  hold: 'BEFORE UPDATE',
  pass: 'BEFORE INSERT',
};
const FUNCTIONS = `
  CREATE FUNCTION grow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF length(NEW.u) < 4 THEN NEW.u := NEW.u || NEW.v; END IF; RETURN NEW; END';
  CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.v = 3 THEN RETURN NULL; END IF; RETURN OLD; END';
  CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.v = 2 THEN RETURN NULL; END IF; RETURN NEW; END';
  CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.v = 5 THEN RETURN NULL; END IF; RETURN NEW; END';
`;

const shape: fc.Arbitrary<RandomShape> = fc.record({
  key: fc.constantFrom('number', 'number', 'text', 'both'),
  references: fc.array(reference, { maxLength: 2 }),
  further: fc.uniqueArray(fc.constantFrom('decimal', 'instant', 'json', 'list', 'boolean'), { maxLength: 2 }),
  isPartitioned: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
  triggers: fc.oneof(fc.constant([]), fc.subarray(Object.keys(TRIGGERS), { maxLength: 2 })),
});

/** Two to four tables that refer to one another and to themselves in every way, and a relation table between two. */
export const randomSchema: fc.Arbitrary<RandomSchema> = fc
  .tuple(fc.array(shape, { minLength: 2, maxLength: 4 }), fc.boolean())
  .map(([shapes, isLinked]) => {
    const tables: RandomTable[] = [];
    for (const one of shapes) tables.push(makeTable(`t${tables.length}`, one, tables));
    const [left, right] = tables;
    if (isLinked && left !== undefined && right !== undefined) tables.push(makeLink(left, right));
    return { tables, script: [FUNCTIONS, ...tables.map(({ sql }) => sql)].join('\n') };
  });

function makeTable(name: string, of: RandomShape, earlier: readonly RandomTable[]): RandomTable {
  const key: RandomColumn[] = [];
  if (of.key !== 'text') key.push({ name: 'id', kind: 'number' });
  if (of.key !== 'number') key.push({ name: 'k', kind: 'text' });
  const columns: RandomColumn[] = [
    ...key,
    { name: 'v', kind: 'number' },
    { name: 'u', kind: 'text' },
    ...of.further.map((kind): RandomColumn => ({ name: `f_${kind}`, kind })),
  ];
  const lines = columns.map(({ name: column, kind }) => `${column} ${TYPES[kind]}`);
  lines.push('g int GENERATED ALWAYS AS (v * 2) STORED', `PRIMARY KEY (${namesOf(key)})`);
  of.references.forEach((to, index) => {
    const target = to.back === 0 ? { name, key } : (earlier.at(-to.back) ?? { name, key });
    const isOwnKey = to.isKey && target.name !== name && sameKinds(target.key, key);
    const pointing = isOwnKey
      ? key
      : target.key.map(({ kind, name: column }): RandomColumn => ({ name: `r${index}_${column}`, kind }));
    if (!isOwnKey) {
      columns.push(...pointing);
      lines.push(
        ...pointing.map((column) => `${column.name} ${TYPES[column.kind]} DEFAULT ${DEFAULTS[column.kind]}`),
      );
    }
    const action = (wanted: string): string => (isOwnKey && wanted.startsWith('SET') ? 'CASCADE' : wanted);
    lines.push(
      `FOREIGN KEY (${namesOf(pointing)}) REFERENCES ${target.name} (${namesOf(target.key)})
        ON DELETE ${action(to.onDelete)} ON UPDATE ${action(to.onUpdate)}${to.isDeferred ? ' DEFERRABLE INITIALLY DEFERRED' : ''}`,
    );
  });
  const [first] = key;
  // A partitioned table that refers to itself is made in two steps only.
  const isPartitioned = of.isPartitioned && first?.kind === 'number';
  const partitions = isPartitioned
    ? `CREATE TABLE ${name}_low PARTITION OF ${name} FOR VALUES FROM (MINVALUE) TO (4);
       CREATE TABLE ${name}_high PARTITION OF ${name} FOR VALUES FROM (4) TO (MAXVALUE);`
    : '';
  const triggers = of.triggers.map(
    (one) => `CREATE TRIGGER ${one} ${TRIGGERS[one]} ON ${name} FOR EACH ROW EXECUTE FUNCTION ${one}();`,
  );
  const view = `CREATE VIEW ${viewOf(name)} AS SELECT ${columns
    .map((column) => `x.${column.name}`)
    .reverse()
    .join(', ')}, upper(x.u) AS loud FROM ${name} AS x WHERE x.v IS DISTINCT FROM 4;`;
  const sql = `CREATE TABLE ${name} (${lines.join(', ')})${isPartitioned ? ` PARTITION BY RANGE (${first.name})` : ''};
    ${partitions} ${triggers.join(' ')} ${view}`;
  return { name, key, columns, sql };
}

const DEFAULTS: Readonly<Partial<Record<RandomColumn['kind'], string>>> = { number: '1', text: "'a'" };

function makeLink(left: RandomTable, right: RandomTable): RandomTable {
  const part = (side: string, table: RandomTable): readonly RandomColumn[] =>
    table.key.map(({ name, kind }) => ({ name: `${side}_${name}`, kind }));
  const [lefts, rights] = [part('l', left), part('r', right)];
  const key = [...lefts, ...rights];
  const sql = `CREATE TABLE link (${key.map(({ name, kind }) => `${name} ${TYPES[kind]}`).join(', ')}, PRIMARY KEY (${namesOf(key)}),
    FOREIGN KEY (${namesOf(lefts)}) REFERENCES ${left.name} ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY (${namesOf(rights)}) REFERENCES ${right.name} ON DELETE CASCADE ON UPDATE CASCADE);`;
  return { name: 'link', key, columns: key, sql };
}

function sameKinds(left: readonly RandomColumn[], right: readonly RandomColumn[]): boolean {
  return left.length === right.length && left.every(({ kind }, at) => kind === right[at]?.kind);
}

/** A view that the database writes through, of the table. */
export function viewOf(table: string): string {
  return `${table}_view`;
}

export function namesOf(columns: readonly RandomColumn[]): string {
  return columns.map(({ name }) => name).join(', ');
}
