import { createMysqlStore } from '@indelible/mysql';
import { withRaw } from '../../mysql/test/raw-connection.js';
import { describeMysql } from '../../mysql/test/test-mysql.js';
import { serverCommandCases } from './server-commands.js';

describeMysql('the command line', (server) => {
  serverCommandCases({
    name: 'mysql',
    scheme: 'mariadb',
    createDatabase: () => server.createDatabase(),
    openStore: (url) => createMysqlStore({ url }),
    runSql: (url, sql) => withRaw(url, (raw) => raw.all(sql)),
  });
});
