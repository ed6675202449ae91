import { AuditError } from '@indelible/core';

/** A method of TypeORM's that no public way leads to. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function reachMethod(holder: object, name: string): (...args: readonly unknown[]) => unknown {
  const method: unknown = Reflect.get(holder, name);
  if (typeof method === 'function') return (...args) => Reflect.apply(method, holder, args) as unknown;
  throw new AuditError('AUDIT_ORM_UNSUPPORTED', 'typeorm', `the driver of this data source has no ${name}()`);
}

export function readObject(holder: object, name: string): object | undefined {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === 'object' && value !== null ? value : undefined;
}

export function readText(holder: object, name: string): string | undefined {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
