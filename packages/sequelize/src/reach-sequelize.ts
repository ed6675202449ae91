import { readProperty as read } from '@indelible/capture';
import { AuditError } from '@indelible/core';

/** What of a Sequelize instance auditing uses, structurally, so that no version is forced on anybody. */
export interface SequelizeLike {
  getDialect(): string;
  readonly models: Readonly<Record<string, unknown>>;
  addHook(
    hook: 'afterConnect' | 'beforeConnect',
    listener: (connection: unknown) => void | Promise<void>,
  ): unknown;
}

/** What Sequelize tells its drivers of how the database is reached. */
export interface ConnectionConfig {
  readonly host?: unknown;
  readonly port?: unknown;
  readonly database?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly dialectOptions?: unknown;
  readonly replication?: unknown;
  readonly native?: unknown;
}

export interface Connections {
  readonly config: ConnectionConfig;
  /** Has each connection shown to `listener` before anything runs on it. */
  onConnect(listener: (connection: object) => void): void;
}

/**
 * The connections that an instance will open.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED` where it is no Sequelize 6, or has connected already
 */
export function reachConnections(sequelize: SequelizeLike): Connections {
  const config = read(sequelize, 'config');
  if (typeof config !== 'object' || config === null) {
    throw unsupported('the settings of this Sequelize instance can not be found', 'Use Sequelize 6.');
  }
  const pool = read(read(sequelize, 'connectionManager'), 'pool');
  const pools = [pool, read(pool, 'read'), read(pool, 'write')];
  if (pools.some((each) => Number(read(each, 'size')) > 0)) {
    throw unsupported(
      'this Sequelize instance has connected before it was audited, so its writes would not be recorded',
      'Call auditSequelize() right after new Sequelize(), before the first query.',
    );
  }
  return {
    config,
    onConnect: (listener) => {
      sequelize.addHook('afterConnect', (connection) => {
        if (typeof connection === 'object' && connection !== null) listener(connection);
      });
    },
  };
}

/** How the database is reached; with replication, the one that is written to. */
export function primary(config: ConnectionConfig): ConnectionConfig {
  const write = read(config.replication, 'write');
  return typeof write === 'object' && write !== null ? { ...config, ...write } : config;
}

export function unsupported(message: string, next: string): AuditError {
  return new AuditError('AUDIT_ORM_UNSUPPORTED', 'sequelize', message, { next });
}
