import { auditExtension } from '@indelible/prisma';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { PrismaClient } from './generated/prisma/client.js';

export type Database = ReturnType<typeof openDatabase>;

/** @param url such as `file:./clinic.db` */
export function openDatabase(url: string) {
  return new PrismaClient({ adapter: new PrismaLibSql({ url }) }).$extends(auditExtension);
}
