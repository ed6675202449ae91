import { runWithContext } from '@indelible/context';
import { auditSequelize } from '@indelible/sequelize';
import { createTestAudit, type TestAudit, watchWrites } from '@indelible/testing';
import { auditMatchers } from '@indelible/testing/vitest';
import { auditDataSource } from '@indelible/typeorm';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { DataTypes, type Model, type ModelStatic, Sequelize } from 'sequelize';
import { DataSource, type DataSourceOptions, EntitySchema, type Repository } from 'typeorm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeMysql } from '../../packages/mysql/test/test-mysql.js';
import { describePostgres } from '../../packages/postgres/test/test-postgres.js';

expect.extend(auditMatchers);

const ADA = { actor: { type: 'user', id: 'ada' } } as const;

interface Database {
  readonly url: string;
  /** Runs SQL where no audit is. */
  execute(sql: string): Promise<void>;
  drop(): Promise<void>;
}

interface Patient {
  id: number;
  name: string;
  balance: string | null;
  born: Date | null;
  notes: { text: string }[] | null;
}

/** What an application's tests do with its ORM. */
interface Application {
  readonly log: TestAudit;
  all(): Promise<readonly object[]>;
  create(fields: Partial<Patient>): Promise<number>;
  rename(id: number, name: string): Promise<unknown>;
  inTransaction(fields: readonly Partial<Patient>[]): Promise<unknown>;
  delete(id: number): Promise<unknown>;
  close(): Promise<void>;
}

type Open = (database: Database, log: TestAudit) => Promise<Application>;

const openTypeorm: Open = async ({ url }, log) => {
  const type = url.startsWith('mysql') ? 'mysql' : 'postgres';
  const Patient = new EntitySchema<Patient>({
    name: 'Patient',
    columns: {
      id: { type: 'int', primary: true, generated: true },
      name: { type: 'varchar', length: 100 },
      balance: { type: 'decimal', precision: 12, scale: 2, nullable: true },
      born: { type: type === 'mysql' ? 'datetime' : 'timestamptz', precision: 3, nullable: true },
      notes: { type: type === 'mysql' ? 'json' : 'jsonb', nullable: true },
    },
  });
  const options = { type, url, entities: [Patient], synchronize: true } as DataSourceOptions;
  const dataSource = auditDataSource(new DataSource(options), { audit: log.audit });
  await log.audit.migrate();
  await dataSource.initialize();
  const patients: Repository<Patient> = dataSource.getRepository(Patient);
  return {
    log,
    all: () => patients.find(),
    create: async (fields) => (await patients.save(patients.create(fields))).id,
    rename: (id, name) => patients.update({ id }, { name }),
    inTransaction: (rows) =>
      dataSource.transaction((manager) => manager.getRepository(Patient).save([...rows])),
    delete: (id) => patients.delete({ id }),
    close: () => dataSource.destroy(),
  };
};

const openSequelize: Open = async ({ url }, log) => {
  const sequelize = auditSequelize(new Sequelize(url, { logging: false }), { audit: log.audit });
  await log.audit.migrate();
  const Patient: ModelStatic<Model> = sequelize.define(
    'Patient',
    {
      name: DataTypes.STRING(100),
      balance: DataTypes.DECIMAL(12, 2),
      born: DataTypes.DATE(3),
      notes: DataTypes.JSON,
    },
    { tableName: 'patient', timestamps: false },
  );
  await Patient.sync();
  return {
    log,
    all: () => Patient.findAll({ raw: true }),
    create: async (fields) => Number((await Patient.create({ ...fields })).get('id')),
    rename: (id, name) => Patient.update({ name }, { where: { id } }),
    inTransaction: (rows) =>
      sequelize.transaction((transaction) =>
        Patient.bulkCreate(
          rows.map((row) => ({ ...row })),
          { transaction },
        ),
      ),
    delete: (id) => Patient.destroy({ where: { id } }),
    close: () => sequelize.close(),
  };
};

function userTests(createDatabase: () => Promise<Database>): void {
  describe.each([
    ['TypeORM', openTypeorm],
    ['Sequelize', openSequelize],
  ] as const)('of an application with %s', (_, open) => {
    let database: Database;
    let app: Application;

    beforeEach(async () => {
      database = await createDatabase();
      app = await open(database, createTestAudit({ store: 'orm', onMissingActor: 'throw' }));
    });

    afterEach(async () => {
      await app.close();
      await app.log.audit.close();
      await database.drop();
    });

    test('say exactly which changes a piece of work has recorded', async () => {
      await runWithContext(ADA, async () => app.rename(await app.create({ name: 'Bo' }), 'Cy'));
      await expect(app.log).toHaveRecordedExactly([
        { action: 'patient.created', actor: ADA.actor, change: { after: { name: 'Bo' } } },
        {
          action: 'patient.updated',
          change: { before: { name: 'Bo' }, after: { name: 'Cy' }, fields: ['name'] },
        },
      ]);
      await expect(app.log).toVerify();
    });

    test('find no write past the audit where there is none, with values of every kind', async () => {
      const old = await runWithContext(ADA, () => app.create({ name: 'old', balance: '1.10' }));
      const writes = await watchWrites(app.log, { Patient: app.all });
      await runWithContext(ADA, async () => {
        await app.create({ name: 'new', balance: '12.50', born: new Date('2001-02-03T04:05:06.789Z') });
        await app.inTransaction([{ name: 'one', notes: [{ text: 'a' }] }, { name: 'two' }]);
        await app.rename(old, 'older');
        await app.delete(await app.create({ name: 'gone' }));
      });
      await expect(writes).toHaveNoUnauditedWrite();
    });

    test('find one that another connection makes', async () => {
      const id = await runWithContext(ADA, () => app.create({ name: 'Bo' }));
      const writes = await watchWrites(app.log, { Patient: app.all });
      await database.execute(`UPDATE patient SET name = 'Mallory'`);
      expect(await writes.unaudited()).toMatchObject([
        { type: 'Patient', id: String(id), operation: 'update', fields: ['name'] },
      ]);
      await expect(writes).not.toHaveNoUnauditedWrite();
    });

    test('are refused a write where nobody acts, and it is not there', async () => {
      await expect(app.create({ name: 'Bo' })).rejects.toThrow(/actor/);
      await expect(app.inTransaction([{ name: 'Bo' }])).rejects.toThrow(/actor/);
      expect(await app.all()).toEqual([]);
      await expect(app.log).toHaveRecordedExactly([]);
    });
  });
}

describePostgres('the tests', (server) => {
  userTests(async () => {
    const { url, drop } = await server.createDatabase();
    return {
      url,
      drop,
      execute: async (sql) => {
        const client = new pg.Client({ connectionString: url });
        await client.connect();
        await client.query(sql);
        await client.end();
      },
    };
  });
});

describeMysql('the tests', (server) => {
  userTests(async () => {
    const { url, drop } = await server.createDatabase();
    return {
      url,
      drop,
      execute: async (sql) => {
        const connection = await mysql.createConnection(url);
        await connection.query(sql);
        await connection.end();
      },
    };
  });
});
