import { describe } from 'vitest';
import { DECORATED } from '../decorated-entities.js';
import { entityCases } from '../entity-cases.js';
import { createSqliteHarness } from './sqlite-harness.js';
import { sqliteKinds } from './sqlite-kinds.js';

describe.each(sqliteKinds())("TypeORM's entities on SQLite through %s", (kind) => {
  entityCases(() => createSqliteHarness({ kind, options: { entities: DECORATED, synchronize: true } }));
});
