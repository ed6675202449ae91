import type { OrmHarness } from '@indelible/capture/conformance';
import { withoutAudit } from '@indelible/context';
import type { Audit, AuditEvent } from '@indelible/core';
import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { Category, Doctor, Nurse, Patient, Place, Session, Staff, Ward } from './decorated-entities.js';

interface EntityHarness extends OrmHarness {
  readonly dataSource: DataSource;
  readonly audit: Audit;
}

/** What TypeORM has of its own, on a data source that has made its tables itself. */
export function entityCases(create: () => Promise<EntityHarness>): void {
  function test(
    name: string,
    work: (dataSource: DataSource, told: () => Promise<AuditEvent[]>, audit: Audit) => Promise<void>,
  ): void {
    it(name, async () => {
      const harness = await create();
      try {
        await work(harness.dataSource, async () => [...(await harness.events())], harness.audit);
      } finally {
        await harness.close();
      }
    });
  }

  const actionsOf = (events: readonly AuditEvent[]): string[] => events.map(({ action }) => action);

  test('softRemove, recover, softDelete and restore are actions of their own', async (dataSource, told) => {
    const patients = dataSource.getRepository(Patient);
    const patient = await patients.save(patients.create({ name: 'Ada' }));
    await patients.softRemove(patient);
    await patients.recover(patient);
    await patients.softDelete({ id: patient.id });
    await patients.restore({ id: patient.id });
    await patients.remove(patient);
    const events = await told();
    expect(actionsOf(events)).toEqual([
      'patient.created',
      'patient.soft_deleted',
      'patient.restored',
      'patient.soft_deleted',
      'patient.restored',
      'patient.deleted',
    ]);
    expect(events[1]?.change?.fields).toContain('gone');
  });

  test('tells properties by their paths: what was stored, also of hidden, embedded and transformed ones', async (dataSource, told) => {
    const patients = dataSource.getRepository(Patient);
    const { id } = await patients.save(
      patients.create({ name: 'Ada', hint: 'maiden', code: 'abc', address: { city: 'Turin' } }),
    );
    await patients.update({ id }, { address: { city: 'Rome' }, code: 'abd', hint: 'married' });
    const [created, updated] = await told();
    expect(created?.change?.after).toEqual({
      id,
      name: 'Ada',
      hint: 'maiden',
      code: 'cba',
      visits: 0,
      'address.city': 'Turin',
      'ward.id': null,
      gone: null,
      version: 1,
    });
    expect(updated?.change?.before).toEqual({
      hint: 'maiden',
      code: 'cba',
      'address.city': 'Turin',
      version: 1,
    });
    expect(updated?.change?.after).toEqual({
      hint: 'married',
      code: 'dba',
      'address.city': 'Rome',
      version: 2,
    });
  });

  test('leaves out what the decorators leave out, also of embedded ones, and nothing else', async (dataSource, told) => {
    const patients = dataSource.getRepository(Patient);
    const secret = 'never-on-record';
    const hidden = { notes: secret, draft: secret, past: { city: secret }, address: { door: secret } };
    const { id } = await patients.save(patients.create({ name: 'Ada', ...hidden }));
    await patients.update({ id }, { notes: `${secret}-2`, version: () => 'version' });
    const session = await dataSource.getRepository(Session).save({ token: secret });
    await dataSource.getRepository(Session).remove(session);
    const events = await told();
    expect(actionsOf(events)).toEqual(['patient.created']);
    expect(JSON.stringify(events)).not.toContain(secret);
  });

  test('tells a relation by its name, and a join table by its own', async (dataSource, told) => {
    const wards = dataSource.getRepository(Ward);
    const patients = dataSource.getRepository(Patient);
    const one = await wards.save(wards.create({ name: 'one' }));
    const two = await wards.save(wards.create({ name: 'two' }));
    const patient = await patients.save(patients.create({ name: 'Ada', ward: one, seen: [one, two] }));
    patient.ward = two;
    patient.seen = [two];
    await patients.save(patient);
    const events = (await told()).filter(({ resource }) => resource?.type !== 'Ward');
    expect(actionsOf(events)).toEqual([
      'patient.created',
      'patient_seen_ward.linked',
      'patient_seen_ward.linked',
      'patient.updated',
      'patient_seen_ward.unlinked',
    ]);
    expect(events[3]?.change).toMatchObject({ before: { 'ward.id': one.id }, after: { 'ward.id': two.id } });
    expect(events[4]?.change?.before).toEqual({ patientId: patient.id, wardId: one.id });
  });

  test('tells entities that share a table by the one that they inherit from', async (dataSource, told) => {
    await dataSource.getRepository(Nurse).save({ name: 'Ada', shift: 'night' });
    await dataSource.getRepository(Doctor).save({ name: 'Eve', pager: '555' });
    await dataSource.getRepository(Staff).increment({ name: 'nobody' }, 'id', 1);
    const events = await told();
    expect(events.map(({ resource, change }) => [resource?.type, change?.after])).toEqual([
      ['Staff', { id: 1, name: 'Ada', shift: 'night', kind: 'Nurse' }],
      ['Staff', { id: 2, name: 'Eve', shift: null, kind: 'Doctor' }],
    ]);
  });

  test('tells what becomes of trees, with the rows that only keep their order', async (dataSource, told) => {
    const categories = dataSource.getTreeRepository(Category);
    const root = await categories.save(categories.create({ name: 'root' }));
    await categories.save(categories.create({ name: 'leaf', parent: root }));
    const places = dataSource.getTreeRepository(Place);
    const top = await places.save(places.create({ name: 'top' }));
    await places.save(places.create({ name: 'under', parent: top }));
    const events = await told();
    expect(actionsOf(events).sort()).toEqual([
      'category.created',
      'category.created',
      'category_closure.created',
      'category_closure.created',
      'category_closure.created',
      'place.created',
      'place.created',
      'place.updated',
    ]);
    const moved = events.find(({ action }) => action === 'place.updated');
    expect(moved?.change?.before).toEqual({ nsright: 2 });
    expect(moved?.change?.after).toEqual({ nsright: 4 });
  });

  test('tells increments with their values, and an entity that is saved as it was not at all', async (dataSource, told) => {
    const patients = dataSource.getRepository(Patient);
    const patient = await patients.save(patients.create({ name: 'Ada' }));
    await patients.increment({ id: patient.id }, 'visits', 3);
    await patients.decrement({ id: patient.id }, 'visits', 1);
    await patients.save(await patients.findOneByOrFail({ id: patient.id }));
    const [, more, less, ...others] = await told();
    expect(more?.change).toMatchObject({ before: { visits: 0 }, after: { visits: 3 } });
    expect(less?.change).toMatchObject({ before: { visits: 3 }, after: { visits: 2 } });
    expect(others).toEqual([]);
  });

  test('records nothing inside withoutAudit, and everything after it', async (dataSource, told, audit) => {
    const wards = dataSource.getRepository(Ward);
    await withoutAudit(() => wards.save({ name: 'unseen' }), { reason: 'an import', audit });
    await wards.save({ name: 'seen' });
    expect((await told()).map(({ change }) => change?.after?.name)).toEqual(['seen']);
  });
}
