import { type ChangeInput, createMemoryStore, type EventInput } from '@indelible/core';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { assertNoUnauditedWrite, createTestAudit, type TestAudit, watchWrites } from '../src/index.js';
import { auditMatchers } from '../src/vitest.js';

expect.extend(auditMatchers);

interface Patient {
  id: number;
  name: string;
  born: Date | null;
  balance: string;
  password?: string;
}

let patients: Map<number, Patient>;
let log: TestAudit;
const rows = () => [...patients.values()];

beforeEach(() => {
  patients = new Map([
    [1, { id: 1, name: 'Ada', born: new Date(0), balance: '1.5' }],
    [2, { id: 2, name: 'Bo', born: null, balance: '0' }],
  ]);
  log = createTestAudit({ store: createMemoryStore() });
});

/** What an ORM package would have recorded. */
async function told(id: number | string, change: Partial<ChangeInput>, more: Partial<EventInput> = {}) {
  onTestFinished(() => log.audit.close());
  await log.audit.record({
    action: 'patient.changed',
    resource: { type: 'Patient', id: String(id) },
    change: { operation: 'update', fidelity: 'exact', ...change },
    ...more,
  });
}

function set(id: number, fields: Partial<Patient>): void {
  patients.set(id, { ...(patients.get(id) ?? { id, name: '', born: null, balance: '0' }), ...fields });
}

test('writes that their events tell of pass: created, updated, deleted, with another key', async () => {
  const writes = await watchWrites(log, { Patient: rows });
  set(3, { name: 'Cy' });
  await told(3, { operation: 'create', after: { id: 3, name: 'Cy' } });
  set(1, { name: 'Eve', balance: '2.5' });
  await told(1, {
    before: { name: 'Ada' },
    after: { name: 'Eve', balance: '2.50' },
    fields: ['name', 'balance'],
  });
  patients.delete(2);
  await told(2, { operation: 'delete', before: { id: 2 } });
  patients.delete(3);
  set(4, { name: 'Cy' });
  await told(3, { before: { id: 3 }, after: { id: 4 }, fields: ['id'] }, { details: { newResourceId: '4' } });
  set(1, { born: new Date('2001-02-03T04:05:06.789Z') });
  await told(1, { operation: 'restore', after: { born: '2001-02-03T04:05:06.789+00:00' }, fields: ['born'] });
  await expect(writes).toHaveNoUnauditedWrite();
  await assertNoUnauditedWrite(writes);
});

test('a row that was created, changed or deleted without an event is told by its name', async () => {
  const writes = await watchWrites(log, { Patient: { rows } });
  set(1, { name: 'Eve' });
  set(3, { name: 'Cy' });
  patients.delete(2);
  expect(await writes.unaudited()).toEqual([
    { type: 'Patient', id: '1', operation: 'update', fields: ['name'] },
    { type: 'Patient', id: '3', operation: 'create', fields: ['id', 'name', 'born', 'balance'] },
    { type: 'Patient', id: '2', operation: 'delete', fields: [] },
  ]);
  await expect(writes).not.toHaveNoUnauditedWrite();
  await expect(assertNoUnauditedWrite(writes)).rejects.toThrow(
    /3 rows [\s\S]*Patient 1: no event tells what name came to be[\s\S]*no event tells of its create/,
  );
});

test('a second write that no event tells of shows behind one that has its event', async () => {
  const writes = await watchWrites(log, { Patient: rows });
  await told(1, { after: { name: 'Eve' }, fields: ['name'] });
  set(1, { name: 'Mallory' });
  expect(await writes.unaudited()).toMatchObject([{ id: '1', fields: ['name'] }]);
});

test('an event of a write that never happened shows too', async () => {
  const writes = await watchWrites(log, { Patient: rows });
  await told(2, { operation: 'delete', before: { id: 2 } });
  expect(await writes.unaudited()).toMatchObject([{ id: '2', operation: 'create' }]);
});

test('what was redacted is taken as told, what an event does not name is not', async () => {
  const writes = await watchWrites(log, { Patient: rows });
  set(1, { password: 'hunter22' });
  await told(1, { after: { password: 'hunter22' }, fields: ['password'] });
  await expect(writes).toHaveNoUnauditedWrite();
  set(1, { name: 'Eve' });
  expect(await writes.unaudited()).toMatchObject([{ fields: ['name'] }]);
});

test('events from before, and of other tables, tell nothing of a watched one', async () => {
  await told(1, { after: { name: 'Eve' }, fields: ['name'] });
  const writes = await watchWrites(log, { Patient: rows });
  set(1, { name: 'Eve' });
  await told(1, { after: { name: 'Eve' }, fields: ['name'] }, { resource: { type: 'Nurse', id: '1' } });
  expect(await writes.unaudited()).toHaveLength(1);
});

test('an event that is not exact speaks for all rows of its table, and for no other table', async () => {
  const nurses = [{ id: 1, name: 'Nia' }];
  const writes = await watchWrites(log, { Patient: rows, Nurse: () => nurses });
  patients.clear();
  nurses.pop();
  await told('*', { operation: 'execute', fidelity: 'count-only' });
  expect(await writes.unaudited()).toEqual([{ type: 'Nurse', id: '1', operation: 'delete', fields: [] }]);
});

test('composite keys are named as events name them, and fields that the audit leaves out are left out', async () => {
  const visits = [{ ward: 'b', number: 7n, note: 'x', seen: 1 }];
  const table = { rows: () => visits, key: ['ward', 'number'], except: ['seen'] };
  const writes = await watchWrites(log, { Visit: table });
  visits.splice(0, 1, { ward: 'b', number: 7n, note: 'x', seen: 2 });
  await expect(writes).toHaveNoUnauditedWrite();
  visits.splice(0, 1, { ward: 'b', number: 7n, note: 'y', seen: 2 });
  expect(await writes.unaudited()).toEqual([
    { type: 'Visit', id: '{"number":"7","ward":"b"}', operation: 'update', fields: ['note'] },
  ]);
  await log.audit.close();
});

test('a table without a key and a watch of nothing are mistakes of the test', async () => {
  await expect(watchWrites(log, {})).rejects.toThrow(TypeError);
  await expect(watchWrites(log, { Note: () => [{ text: 'x' }] })).rejects.toThrow(/a row of Note has no id/);
  await log.audit.close();
});
