import { installTriggers } from '@indelible/postgres-triggers';
import pg from 'pg';
import type { Contender } from './contender.js';
import { indelible } from './indelible.js';

/** This project where triggers of the database record the rows, and the audited client only tells them who acts. */
export const triggers: Contender = {
  ...indelible,
  name: 'Indelible with triggers',
  prepare: async (url) => {
    await indelible.prepare(url);
    const raw = new pg.Client({ connectionString: url });
    await raw.connect();
    await installTriggers(raw, { tables: ['Item'] });
    await raw.end();
  },
};
