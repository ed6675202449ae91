import { createRequire } from 'node:module';
import type { Sequelize } from 'sequelize';
import type { RowRecord } from '../contender.js';
import { currentActor } from '../plain.js';
import { isRow } from '../row-trigger.js';
import type { OrmContender } from './row-store.js';
import { createSequelize, createSequelizeStore, defineModels, type Models } from './sequelize-store.js';

/** What of the package is used. It has no types. */
interface PaperTrail {
  init(sequelize: Sequelize, options: object): { defineModels(): void };
}

const require = createRequire(import.meta.url);
const manifest: unknown = require('sequelize-paper-trail/package.json');

const OPERATIONS: Readonly<Record<string, RowRecord['operation']>> = {
  create: 'create',
  update: 'update',
  destroy: 'delete',
};

/** With the options of its README, and the user in the first of its two ways: with each call. */
export const paperTrail: OrmContender = {
  name: `sequelize-paper-trail ${isRow(manifest) ? String(manifest.version) : ''}`,
  prepare: async (url) => {
    const { sequelize } = withTrail(url, 1);
    await sequelize.sync();
    await sequelize.close();
  },
  open: async (url, { pool }) => {
    const { sequelize, models } = withTrail(url, pool);
    const say = (): object => {
      const actor = currentActor.getStore();
      return actor === undefined ? {} : { userId: Number(actor) };
    };
    return {
      store: createSequelizeStore(sequelize, models, say),
      settle: async () => {},
      close: () => sequelize.close(),
    };
  },
  records: { sql: 'SELECT * FROM "Revisions" ORDER BY id', read: readRevisions },
  table: '"Revisions"',
};

function withTrail(url: string, pool: number): { sequelize: Sequelize; models: Models } {
  const sequelize = createSequelize(url, pool);
  const models = defineModels(sequelize);
  // Who acts in the cases need be no user of the table.
  const options = { userModel: 'User', belongsToUserOptions: { foreignKey: 'userId', constraints: false } };
  // Not before it is needed: it brings async-listener, which from then on wraps every promise of the process.
  const paperTrailPackage: PaperTrail = require('sequelize-paper-trail');
  paperTrailPackage.init(sequelize, options).defineModels();
  for (const model of Object.values(models)) {
    const enable: unknown = Reflect.get(model, 'hasPaperTrail');
    if (typeof enable === 'function') Reflect.apply(enable, model, []);
  }
  return { sequelize, models };
}

/** A revision holds the row as it is then: what it was before stands in the revision before it, and its id beside it. */
function readRevisions(rows: readonly Readonly<Record<string, unknown>>[]): readonly RowRecord[] {
  const known = new Map<string, Record<string, unknown>>();
  return rows.flatMap(({ model, documentId, document, operation: told, userId }) => {
    const operation = OPERATIONS[String(told)];
    if (operation === undefined || !isRow(document)) return [];
    const key = `${String(model)} ${String(documentId)}`;
    const row = { id: documentId, ...document };
    const before = operation === 'delete' ? row : known.get(key);
    known.set(key, row);
    return [
      {
        model: String(model) === 'PostToTag' ? '_PostToTag' : String(model),
        id: String(documentId),
        operation,
        ...(before === undefined || operation === 'create' ? {} : { before }),
        ...(operation === 'delete' ? {} : { after: row }),
        actor: typeof userId === 'number' ? String(userId) : null,
      },
    ];
  });
}
