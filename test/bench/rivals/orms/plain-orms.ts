import type { OrmContender } from './row-store.js';
import { createSequelize, createSequelizeStore, defineModels } from './sequelize-store.js';
import { createDataSource, createTypeormStore } from './typeorm-store.js';

const NOTHING = { sql: 'SELECT 1 WHERE false', read: () => [] };

async function syncSequelize(url: string): Promise<void> {
  const sequelize = createSequelize(url, 1);
  defineModels(sequelize);
  await sequelize.sync();
  await sequelize.close();
}

async function syncTypeorm(url: string): Promise<void> {
  const dataSource = await createDataSource(url).initialize();
  await dataSource.synchronize();
  await dataSource.destroy();
}

/** No auditing at all. */
export const plainSequelize: OrmContender = {
  name: 'plain',
  prepare: syncSequelize,
  open: async (url, { pool }) => {
    const sequelize = createSequelize(url, pool);
    const store = createSequelizeStore(sequelize, defineModels(sequelize));
    return { store, settle: async () => {}, close: () => sequelize.close() };
  },
  records: NOTHING,
  table: '"Item"',
};

/** No auditing at all. */
export const plainTypeorm: OrmContender = {
  name: 'plain',
  prepare: syncTypeorm,
  open: async (url, { pool }) => {
    const dataSource = await createDataSource(url, { poolSize: pool }).initialize();
    return {
      store: createTypeormStore(dataSource.manager),
      settle: async () => {},
      close: () => dataSource.destroy(),
    };
  },
  records: NOTHING,
  table: '"Item"',
};
