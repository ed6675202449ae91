import pg from 'pg';
import type { Contender } from './contender.js';
import { indelible } from './indelible.js';
import { plain } from './plain.js';

/** What an event of the benchmark's update has for a body, and no work to make it. */
const BODY_BYTES = 700;

const SQL = `
CREATE FUNCTION floor_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit.audit_event VALUES (gen_random_uuid(), 'audit', convert_to(repeat('x', ${BODY_BYTES}), 'UTF8'), decode('00', 'hex'),
    '2026-01-01T00:00:00.000Z', 'item.updated', 'data', 'success', 'user', 'ada', 'Item', NEW.id, NULL, 'r-1', 'transaction', '10.0.0.1');
  RETURN NULL;
END $$;
CREATE TRIGGER floor_row AFTER INSERT OR UPDATE ON "Item" FOR EACH ROW EXECUTE FUNCTION floor_row();
`;

/**
 * The least that any trigger could cost that writes to the audit tables: a row of constants, into the same indexes, with its
 * pending row. It compares nothing, makes no event, has no context, and costs the client no statement.
 */
export const floorTrigger: Contender = {
  ...plain,
  name: 'a trigger that inserts a finished event',
  prepare: async (url) => {
    await indelible.prepare(url);
    const raw = new pg.Client({ connectionString: url });
    await raw.connect();
    await raw.query(SQL);
    await raw.end();
  },
  table: 'audit.audit_event',
};
