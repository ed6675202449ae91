import { auditSequelize } from '@indelible/sequelize';
import { Sequelize } from 'sequelize';
import { defineModels } from './models.js';

/** @param url such as `postgres://app@localhost/store` or `mysql://app@localhost/store` */
export function openDatabase(url: string): Sequelize {
  const sequelize = auditSequelize(new Sequelize(url, { logging: false }));
  defineModels(sequelize);
  return sequelize;
}
