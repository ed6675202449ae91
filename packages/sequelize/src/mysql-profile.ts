import {
  type CaptureEngine,
  createMysqlDialect,
  readProperty as read,
  steerMariadb,
  steerMysql2,
} from '@indelible/capture';
import type { DialectProfile } from './dialect-profile.js';
import { primary } from './reach-sequelize.js';

interface MysqlDriver {
  /** True if its connections count rows that an update has found and not changed. */
  readonly countsFound: (dialectOptions: unknown) => boolean;
  readonly steer: (connection: object, engine: CaptureEngine) => void;
}

/** MySQL and MariaDB by mysql2. Sequelize has it count changed rows. */
export const mysql2Profile = (): DialectProfile =>
  createMysqlProfile({
    countsFound: (options) => {
      const flags = read(options, 'flags') ?? '-FOUND_ROWS';
      return !/-FOUND_ROWS/i.test(String(flags));
    },
    steer: steerMysql2,
  });

/** MariaDB and MySQL by the mariadb driver. */
export const mariadbProfile = (): DialectProfile =>
  createMysqlProfile({
    countsFound: (options) => read(options, 'foundRows') === true,
    steer: steerMariadb,
  });

function createMysqlProfile({ countsFound, steer }: MysqlDriver): DialectProfile {
  return {
    createDialect: ({ dialectOptions }) => createMysqlDialect({ countsFound: countsFound(dialectOptions) }),
    defaultSchema: null,
    offerStore: (config) => {
      const {
        host = 'localhost',
        port,
        username: user,
        password,
        database,
        dialectOptions,
      } = primary(config);
      return {
        url: `mysql://${String(host)}:${String(port)}/${String(database)}`,
        options: { config: { host, port, user, password, database, ssl: read(dialectOptions, 'ssl') } },
      };
    },
    steer,
  };
}
