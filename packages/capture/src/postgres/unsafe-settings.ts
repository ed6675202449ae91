import type { CaptureConnection } from '../dialect.js';

/** Settings that change how statements read or how values are written, and what they must be. */
const REQUIRED: readonly (readonly [name: string, isFine: (value: string) => boolean])[] = [
  ['standard_conforming_strings', (value) => value === 'on'],
  ['extra_float_digits', (value) => Number(value) >= 1],
  ['DateStyle', (value) => value.startsWith('ISO')],
];
/** The settings of the connection under which not everything can be told exactly, as `name = value`. */
export async function readUnsafeSettings(connection: CaptureConnection): Promise<readonly string[]> {
  const values = REQUIRED.map(([name]) => `pg_catalog.current_setting('${name}')`).join(', ');
  const [row = []] = await connection.query(`SELECT ${values}`);
  return REQUIRED.flatMap(([name, isFine], at) => {
    const value = String(row[at]);
    return isFine(value) ? [] : [`${name} = ${value}`];
  });
}

/** The setting that a statement which is no write puts to what it must not be, or to what can not be told. */
export function settingChangedBy(sql: string): string | undefined {
  if (!/\b(?:set|set_config|reset)\b/i.test(sql)) return undefined;
  const changed = REQUIRED.find(([name, isFine]) => {
    if (!new RegExp(`\\b${name}\\b`, 'i').test(sql)) return false;
    const set = new RegExp(
      `^\\s*set\\s+(?:session\\s+|local\\s+)?${name}\\s*(?:=|\\bto\\b)\\s*'?([\\w ,]+?)'?\\s*;?\\s*$`,
      'i',
    );
    const value = set.exec(sql)?.[1];
    return value === undefined || !isFine(value);
  });
  return changed?.[0];
}
