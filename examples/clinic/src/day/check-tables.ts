import { type JsonObject, type JsonValue, tryGetMarkKind } from '@indelible/core';
import { isEqual } from './is-equal.js';
import type { Row, Tables, TrailEntry } from './read-trail.js';

/**
 * Replays the trail on the tables as the migrations left them, and holds the outcome against the tables as they are: a
 * committed change without its event, or an event without its change, does not come out even.
 */
export function checkTables(initial: Tables, final: Tables, entries: readonly TrailEntry[]): string[] {
  const replayed = new Map<string, Record<string, unknown>>();
  for (const [name, row] of namedRows(initial)) replayed.set(name, row);

  for (const { event } of entries) {
    const { action, resource, change } = event;
    if (change === undefined || resource === undefined) continue;
    const name = rowName(action.slice(0, action.lastIndexOf('.')), resource.id);
    if (change.operation === 'delete' || change.operation === 'unlink') replayed.delete(name);
    else replayed.set(name, { ...replayed.get(name), ...columnsOf(change.after) });
  }

  const failures: string[] = [];
  for (const [name, row] of namedRows(final)) {
    const expected = replayed.get(name);
    replayed.delete(name);
    if (expected === undefined) {
      failures.push(`${name} is in its table and not in the trail`);
      continue;
    }
    for (const [column, value] of Object.entries(row)) {
      if (!isSame(expected[column], value)) {
        failures.push(`${name}: ${column} is ${String(value)}, and ${String(expected[column])} by the trail`);
      }
    }
  }
  for (const name of replayed.keys()) failures.push(`${name} is in the trail and not in its table`);
  return failures;
}

function* namedRows(tables: Tables): Iterable<[name: string, row: Row]> {
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      // Prisma calls the columns of a relation table A and B, and the trail calls them by their models.
      if (table !== '_AllergyToPatient') yield [rowName(table, String(row.id)), row];
      else {
        const link = { Allergy: String(row.A), Patient: String(row.B) };
        yield [rowName('allergy_to_patient', JSON.stringify(link)), link];
      }
    }
  }
}

function rowName(table: string, id: string): string {
  return `${table} ${id}`;
}

/** `passwordHash` is the column `password_hash`. */
function columnsOf(fields: JsonObject = {}): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [
      /^[A-Z]/.test(field) ? field : field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}

/** True if what the trail says is what SQLite stores. A masked value can be anything. */
function isSame(told: unknown, stored: unknown): boolean {
  if (isJson(told) && tryGetMarkKind(told) !== undefined) return true;
  if (told === stored) return true;
  if (typeof stored === 'number') return told === String(stored);
  if (typeof stored !== 'string') return false;
  if (typeof told === 'object') return isEqual(told, JSON.parse(stored));
  return typeof told === 'string' && /^\d{4}-/.test(told) && Date.parse(told) === Date.parse(stored);
}

function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}
