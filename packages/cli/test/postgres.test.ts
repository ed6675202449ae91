import { createPostgresStore } from '@indelible/postgres';
import { withRaw } from '../../postgres/test/raw-connection.js';
import { describePostgres } from '../../postgres/test/test-postgres.js';
import { serverCommandCases } from './server-commands.js';

describePostgres('the command line', (server) => {
  serverCommandCases({
    name: 'postgres',
    scheme: 'postgres',
    createDatabase: () => server.createDatabase(),
    openStore: (url) => createPostgresStore({ url }),
    runSql: (url, sql) => withRaw(url, (raw) => raw.all(sql)),
  });
});
