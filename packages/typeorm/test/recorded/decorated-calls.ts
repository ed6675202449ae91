import type { DomainTables } from '../../../prisma/test/domain-rows.js';
import { Category, Folder, Nurse, Patient, Place, Ward } from '../decorated-entities.js';
import type { TypeormCall, TypeormHarness } from './typeorm-calls.js';

const patientsOf = ({ dataSource }: TypeormHarness) => dataSource.getRepository(Patient);
const addPatient = (harness: TypeormHarness) =>
  patientsOf(harness).save(
    patientsOf(harness).create({ name: 'Ada', hint: 'maiden', code: 'abc', address: { city: 'Turin' } }),
  );

function decorated(does: string, call: string, rest: Pick<TypeormCall, 'prepare' | 'run'>): TypeormCall {
  return { does, call, entities: 'decorated', ...rest };
}

/** What only entities with decorators have. */
export const decoratedCalls: readonly TypeormCall[] = [
  decorated('soft delete, and restore', '`softRemove()`, `recover()`', {
    prepare: addPatient,
    run: async (h) => {
      const patient = await patientsOf(h).findOneByOrFail({ id: 1 });
      await patientsOf(h).softRemove(patient);
      await patientsOf(h).recover(patient);
      await patientsOf(h).softRemove(patient);
    },
  }),
  decorated('soft delete, and restore', '`softDelete()`, `restore()`', {
    prepare: addPatient,
    run: async (h) => {
      await patientsOf(h).softDelete({ name: 'Ada' });
      await patientsOf(h).restore({ name: 'Ada' });
      await patientsOf(h).softDelete({ name: 'Ada' });
    },
  }),
  decorated(
    'hidden, embedded and transformed columns',
    '`select: false`, `@Column(() => Address)`, `transformer`',
    {
      prepare: addPatient,
      run: (h) =>
        patientsOf(h).update({ id: 1 }, { address: { city: 'Rome' }, code: 'abd', hint: 'married' }),
    },
  ),
  decorated('rows of several models in one table', '`@TableInheritance()`', {
    run: (h) => h.dataSource.getRepository(Nurse).save({ name: 'Ada', shift: 'night' }),
  }),
  decorated('trees', "`@Tree('closure-table')`", {
    run: async ({ dataSource }) => {
      const categories = dataSource.getTreeRepository(Category);
      const root = await categories.save(categories.create({ name: 'root' }));
      await categories.save(categories.create({ name: 'leaf', parent: root }));
    },
  }),
  decorated('trees', "`@Tree('nested-set')`", {
    run: async ({ dataSource }) => {
      const places = dataSource.getTreeRepository(Place);
      const top = await places.save(places.create({ name: 'top' }));
      const under = await places.save(places.create({ name: 'under', parent: top }));
      await places.remove(under);
    },
  }),
  decorated('trees', "`@Tree('materialized-path')`", {
    run: async ({ dataSource }) => {
      const folders = dataSource.getTreeRepository(Folder);
      const one = await folders.save(folders.create({ name: 'one' }));
      const two = await folders.save(folders.create({ name: 'two' }));
      await folders.save(Object.assign(two, { parent: one }));
    },
  }),
  decorated('links of many-to-many', '`@JoinTable()`', {
    prepare: async (h) => {
      await h.dataSource.getRepository(Ward).insert([{ name: 'one' }, { name: 'two' }]);
      const [one] = await h.dataSource.getRepository(Ward).find();
      await patientsOf(h).save(patientsOf(h).create({ name: 'Ada', seen: one === undefined ? [] : [one] }));
    },
    run: async (h) => {
      const [one, two] = await h.dataSource.getRepository(Ward).find({ order: { id: 'ASC' } });
      const patient = await patientsOf(h).findOneByOrFail({ id: 1 });
      if (one === undefined || two === undefined) throw new Error('there are no wards');
      await patientsOf(h).save(Object.assign(patient, { ward: one, seen: [two] }));
    },
  }),
];

/** Written down here a second time, apart from the code under test: how each column reads in an event. */
export const DECORATED_TABLES: DomainTables = {
  ward: { model: 'Ward', key: ['id'], columns: { id: ['id', 'whole'], name: ['name', 'text'] } },
  patient: {
    model: 'Patient',
    key: ['id'],
    columns: {
      id: ['id', 'whole'],
      full_name: ['name', 'text'],
      hint: ['hint', 'text'],
      code: ['code', 'text'],
      visits: ['visits', 'whole'],
      addressCity: ['address.city', 'text'],
      wardId: ['ward.id', 'whole'],
      gone: ['gone', 'instant'],
      version: ['version', 'whole'],
    },
  },
  patient_seen_ward: {
    model: 'patient_seen_ward',
    key: ['patientId', 'wardId'],
    columns: { patientId: ['patientId', 'whole'], wardId: ['wardId', 'whole'] },
  },
  staff: {
    model: 'Staff',
    key: ['id'],
    columns: {
      id: ['id', 'whole'],
      name: ['name', 'text'],
      kind: ['kind', 'text'],
      shift: ['shift', 'text'],
    },
  },
  category: {
    model: 'Category',
    key: ['id'],
    columns: { id: ['id', 'whole'], name: ['name', 'text'], parentId: ['parent.id', 'whole'] },
  },
  category_closure: {
    model: 'category_closure',
    key: ['id_ancestor', 'id_descendant'],
    columns: { id_ancestor: ['id_ancestor', 'whole'], id_descendant: ['id_descendant', 'whole'] },
  },
  folder: {
    model: 'Folder',
    key: ['id'],
    columns: {
      id: ['id', 'whole'],
      name: ['name', 'text'],
      mpath: ['mpath', 'text'],
      parentId: ['parent.id', 'whole'],
    },
  },
  place: {
    model: 'Place',
    key: ['id'],
    columns: {
      id: ['id', 'whole'],
      name: ['name', 'text'],
      nsleft: ['nsleft', 'whole'],
      nsright: ['nsright', 'whole'],
      parentId: ['parent.id', 'whole'],
    },
  },
};
