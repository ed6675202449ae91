import * as nodeModule from 'node:module';
import { findModules } from '@indelible/capture';
import { AuditError } from '@indelible/core';
import { auditRuntime, RUNTIME } from './audit-runtime.js';
import { load, resolve } from './register-hooks.js';

/**
 * Audits every Prisma client of a process whose application knows nothing of it: `node --import @indelible/prisma/register`.
 * A generated client makes its class with a function of Prisma's runtime: that is what is put in between, where `import` or
 * `require()` loads it. An older generator puts a copy of the runtime beside the client, which only `require()` loads.
 */
if (findModules(RUNTIME, import.meta.url).length === 0) {
  throw new AuditError('AUDIT_ORM_UNSUPPORTED', 'prisma', '@prisma/client can not be found', {
    next: 'Start the application in its own directory, with Prisma 7.',
  });
}
watchRequire();
if ('registerHooks' in nodeModule && typeof nodeModule.registerHooks === 'function') {
  Reflect.apply(nodeModule.registerHooks, nodeModule, [{ resolve, load }]);
} else {
  // Node 20: hooks run in a thread of their own, and are loaded there.
  nodeModule.register('./register-hooks-thread.js', import.meta.url);
}

function watchRequire(): void {
  const Module: unknown = Reflect.get(nodeModule, 'Module');
  const loadOf: unknown = typeof Module === 'function' ? Reflect.get(Module, '_load') : undefined;
  if (typeof Module !== 'function' || typeof loadOf !== 'function') {
    throw new AuditError('AUDIT_ORM_UNSUPPORTED', 'prisma', 'what require() loads can not be watched');
  }
  Reflect.set(Module, '_load', function (this: unknown, ...args: readonly unknown[]): unknown {
    const loaded: unknown = Reflect.apply(loadOf, this, args);
    const isRuntime = typeof args[0] === 'string' && /runtime\/client(?:\.js)?$/.test(args[0]);
    if (!isRuntime || typeof loaded !== 'object' || loaded === null) return loaded;
    return 'getPrismaClient' in loaded ? auditRuntime(loaded) : loaded;
  });
}
