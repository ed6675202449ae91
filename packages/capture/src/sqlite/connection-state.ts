import type { CaptureConnection } from '../dialect.js';
import { foldName } from '../tokenize.js';

const STATE = `SELECT (SELECT group_concat(name) FROM temp.sqlite_schema WHERE name GLOB 'indelible[_]*'),
  (SELECT json_group_array(name) FROM pragma_database_list WHERE seq > 1)`;

/** What a connection has that no other one sees: our temporary triggers and table, and the databases attached to it. */
export async function readConnectionState(
  connection: CaptureConnection,
): Promise<{ readonly ours: Set<string>; readonly attached: readonly string[] }> {
  const [row] = await connection.query(STATE);
  const ours = String(row?.[0] ?? '').split(',');
  const attached: unknown = JSON.parse(String(row?.[1] ?? '[]'));
  return {
    ours: new Set(ours.filter(Boolean)),
    attached: Array.isArray(attached) ? attached.map((name) => foldName(String(name))) : [],
  };
}
