import { AuditError } from '@indelible/core';

/** A method of TypeORM's that no public way leads to. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function reachMethod(holder: object, name: string): (...args: readonly unknown[]) => unknown {
  const method: unknown = Reflect.get(holder, name);
  if (typeof method === 'function') return (...args) => Reflect.apply(method, holder, args) as unknown;
  throw unsupported(`the driver of this data source has no ${name}()`);
}

export function readObject(holder: object, name: string): object | undefined {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === 'object' && value !== null ? value : undefined;
}

export function readText(holder: object, name: string): string | undefined {
  const value: unknown = Reflect.get(holder, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function unsupported(message: string): AuditError {
  return new AuditError('AUDIT_ORM_UNSUPPORTED', 'typeorm', message);
}

/** Without what is undefined, which would stand in the way of a default. */
export function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The same of a class, for whichever of its objects it is called. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function reachMethodOf(
  prototype: object,
  name: string,
): (self: object, args: readonly unknown[]) => Promise<unknown> {
  const method: unknown = Reflect.get(prototype, name);
  if (typeof method !== 'function') throw unsupported(`a data source has no ${name}()`);
  return async (self, args) => Reflect.apply(method, self, args) as unknown;
}
