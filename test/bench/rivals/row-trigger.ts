import pg from 'pg';
import type { Contender, RowRecord } from './contender.js';
import { createClient } from './plain.js';

const TABLES = ['Item', 'User', 'Post', 'Comment', 'Tag', '_PostToTag', 'Membership'];

const SQL = `
CREATE TABLE row_log (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), name text NOT NULL,
  operation text NOT NULL, old jsonb, new jsonb);
CREATE FUNCTION log_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO row_log (name, operation, old, new) VALUES (TG_TABLE_NAME, TG_OP,
    CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
  RETURN NULL;
END $$;
${TABLES.map((name) => `CREATE TRIGGER log_row AFTER INSERT OR UPDATE OR DELETE ON "${name}" FOR EACH ROW EXECUTE FUNCTION log_row();`).join('\n')}
`;

/** The trigger that PostgreSQL's own documentation describes, with rows as JSON. It knows of no actor. */
export const rowTrigger: Contender = {
  name: 'row trigger',
  prepare: async (url) => {
    const raw = new pg.Client({ connectionString: url });
    await raw.connect();
    await raw.query(SQL);
    await raw.end();
  },
  open: async (url, options) => {
    const client = createClient(url, options);
    return { client, settle: async () => {}, close: () => client.$disconnect() };
  },
  records: { sql: 'SELECT * FROM row_log ORDER BY id', read: (row) => [readRow(row)] },
  table: 'row_log',
};

function readRow({ name, operation, old, new: now }: Readonly<Record<string, unknown>>): RowRecord {
  const before = isRow(old) ? old : undefined;
  const after = isRow(now) ? now : undefined;
  const model = String(name);
  return {
    model,
    id: keyOf(model, before ?? after ?? {}),
    operation: operation === 'INSERT' ? 'create' : operation === 'DELETE' ? 'delete' : 'update',
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    actor: null,
  };
}

/** The key of a row as text; that of several columns as the JSON of their parts. */
export function keyOf(model: string, row: Readonly<Record<string, unknown>>): string {
  if (model === 'Membership') return JSON.stringify({ org: row.org, seat: row.seat });
  if (model === '_PostToTag') return JSON.stringify({ A: row.A, B: row.B });
  return String(row.id);
}

export function isRow(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
