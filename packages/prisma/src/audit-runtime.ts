import { createRegisteredAudit, readRegisterSettings } from '@indelible/capture';
import { AuditError } from '@indelible/core';
import { beforeConnect, tryGetAuditedFactory } from './audit-adapter.js';
import { auditExtension, createAuditExtension } from './audit-extension.js';
import { afterDisconnect, reachAdapterFactory } from './private-reach.js';

/** Where generated clients import Prisma's runtime from. */
export const RUNTIME = '@prisma/client/runtime/client';

const settings = readRegisterSettings(process.env);
const made = new WeakMap<object, object>();

/** The exports of Prisma's runtime with its clients audited. */
export function auditRuntime(runtime: object): object {
  const known = made.get(runtime);
  if (known !== undefined) return known;
  const { getPrismaClient, ...others } = Object.getOwnPropertyDescriptors(runtime) as PropertyDescriptorMap;
  const own: unknown = getPrismaClient?.get?.call(runtime) ?? getPrismaClient?.value;
  const audited: object = Object.defineProperties({}, others);
  Object.defineProperty(audited, 'getPrismaClient', { enumerable: true, value: auditClientClass(own) });
  made.set(runtime, audited);
  made.set(audited, audited);
  return audited;
}

/** @param getPrismaClient the runtime's function that makes the class of a generated client, unchecked */
export function auditClientClass(getPrismaClient: unknown): (config: unknown) => unknown {
  if (typeof getPrismaClient !== 'function') throw unsupported('the runtime of Prisma makes no clients');
  return (config) => {
    const Client: unknown = Reflect.apply(getPrismaClient, undefined, [config]);
    if (typeof Client !== 'function') throw unsupported('the runtime of Prisma makes no class of clients');
    return new Proxy(Client, {
      construct: (target, args, newTarget: NewableFunction) => {
        const client: unknown = Reflect.construct(target, args, newTarget);
        if (typeof client !== 'object' || client === null) throw unsupported('a client is no object');
        attach(client);
        return client;
      },
    });
  };
}

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED`, `AUDIT_ORM_UNSUPPORTED`: the application does not start unaudited */
function attach(client: object): void {
  const factory = reachAdapterFactory(client);
  if (tryGetAuditedFactory(factory) !== undefined) {
    // Another client has this adapter as well, and its audit.
    auditExtension(client);
    return;
  }
  const { audit, prepare, release } = createRegisteredAudit(settings);
  const { reads } = settings;
  createAuditExtension({ audit, ...(reads.length === 0 ? {} : { reads }) })(client);
  beforeConnect(factory, prepare);
  afterDisconnect(client, release);
}

function unsupported(message: string): AuditError {
  return new AuditError('AUDIT_ORM_UNSUPPORTED', 'prisma', message);
}
