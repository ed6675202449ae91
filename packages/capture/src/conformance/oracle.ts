import assert from 'node:assert/strict';
import type { AuditEvent, JsonObject, JsonValue } from '@indelible/core';
import type { OrmHarness, Snapshot } from './orm-harness.js';

/** Fields whose values are masked in every event: that they changed still shows. */
const MASKED = new Set(['password']);

/**
 * Runs `work` between two snapshots of all tables and demands that the events tell exactly the difference: every row,
 * every field, nothing else.
 * @returns the events of `work`
 */
export async function withOracle(
  harness: OrmHarness,
  work: () => Promise<unknown>,
): Promise<readonly AuditEvent[]> {
  const known = (await harness.events()).length;
  const before = await harness.snapshot();
  await work();
  const after = await harness.snapshot();
  const events = (await harness.events()).slice(known);
  assertTells(events, before, after);
  return events;
}

/** Throws unless replaying the events on `before` gives `after`. */
export function assertTells(events: readonly AuditEvent[], before: Snapshot, after: Snapshot): void {
  const rows = new Map<string, JsonObject>();
  for (const [type, byId] of before) for (const [id, row] of byId) rows.set(rowKey(type, id), row);
  for (const event of events) if (event.change !== undefined) replay(rows, event);
  const expected = new Map<string, JsonObject>();
  for (const [type, byId] of after) for (const [id, row] of byId) expected.set(rowKey(type, id), row);
  assert.deepEqual([...rows.keys()].sort(), [...expected.keys()].sort(), 'the rows that exist by the events');
  for (const [id, row] of expected)
    assert.deepEqual(hideMasked(rows.get(id)), hideMasked(row), `the row ${id}`);
}

function replay(rows: Map<string, JsonObject>, event: AuditEvent): void {
  const { change, resource, details } = event;
  assert.ok(change !== undefined && resource !== undefined, 'a data event has a change and a resource');
  const id = rowKey(resource.type, resource.id);
  const row = rows.get(id);
  const told = `${event.action} ${id}`;
  assert.equal(change.fidelity, 'exact', told);
  if (change.operation === 'create' || change.operation === 'link') {
    assert.equal(row, undefined, `${told}: the row was there already`);
    rows.set(id, change.after ?? {});
  } else if (change.operation === 'delete' || change.operation === 'unlink') {
    assert.deepEqual(hideMasked(change.before), hideMasked(row), `${told}: its before`);
    rows.delete(id);
  } else {
    assert.ok(row !== undefined, `${told}: there is no such row`);
    assert.deepEqual(
      [...(change.fields ?? [])].sort(),
      Object.keys(change.after ?? {}).sort(),
      `${told}: its fields`,
    );
    for (const [field, value] of Object.entries(change.before ?? {})) {
      if (!MASKED.has(field)) assert.deepEqual(value, row[field], `${told}: before.${field}`);
    }
    for (const [field, value] of Object.entries(change.after ?? {})) {
      if (!MASKED.has(field)) assert.notDeepEqual(value, row[field], `${told}: ${field} did not change`);
    }
    rows.delete(id);
    const newId = details?.newResourceId;
    rows.set(typeof newId === 'string' ? rowKey(resource.type, newId) : id, { ...row, ...change.after });
  }
}

function rowKey(type: string, id: string): string {
  return `${type} ${id}`;
}

function hideMasked(row: JsonObject | undefined): Record<string, JsonValue> | undefined {
  if (row === undefined) return undefined;
  return Object.fromEntries(Object.entries(row).filter(([field]) => !MASKED.has(field)));
}
