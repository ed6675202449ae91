import { existsSync, realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { AuditError } from './audit-error.js';
import { withoutSecrets } from './error-reporter.js';
import type { AuditStore } from './store.js';

const PACKAGES: Readonly<Record<string, string>> = {
  file: '@indelible/sqlite',
  sqlite: '@indelible/sqlite',
  postgres: '@indelible/postgres',
  postgresql: '@indelible/postgres',
  mysql: '@indelible/mysql',
  mariadb: '@indelible/mysql',
};

/** What a store package exports. */
interface StorePackage {
  openStore(url: string, options?: Readonly<Record<string, unknown>>): Promise<AuditStore>;
}

/**
 * Opens the store that a URL names: `file:` and `sqlite:` by `@indelible/sqlite`, `postgres:` and `postgresql:` by
 * `@indelible/postgres`, `mysql:` and `mariadb:` by `@indelible/mysql`. The package is looked for beside this one, then
 * from the application's working directory and from the script that Node was started with.
 *
 * @throws AuditError `AUDIT_CONFIG_INVALID` for another scheme, `AUDIT_DRIVER_MISSING` that names the package to install
 */
export async function openStore(
  url: string,
  options?: Readonly<Record<string, unknown>>,
): Promise<AuditStore> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? '';
  const name = Object.hasOwn(PACKAGES, scheme) ? PACKAGES[scheme] : undefined;
  if (name === undefined) {
    throw new AuditError(
      'AUDIT_CONFIG_INVALID',
      'core',
      `no store package knows the URL ${withoutSecrets(url)}; it begins with ${Object.keys(PACKAGES).join(':, ')}:`,
    );
  }
  return (await loadStorePackage(name)).openStore(url, options);
}

async function loadStorePackage(name: string): Promise<StorePackage> {
  const script = mainScript();
  const attempts = [() => import(name), () => importFrom(`${process.cwd()}/package.json`, name)];
  if (script !== undefined) attempts.push(() => importFrom(script, name));
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      const loaded: unknown = await attempt();
      if (isStorePackage(loaded)) return loaded;
      failure ??= new Error('it exports no openStore');
    } catch (error) {
      if (!isMissing(error, name)) failure ??= error;
    }
  }
  if (failure === undefined) {
    throw new AuditError('AUDIT_DRIVER_MISSING', 'core', `the package ${name} is not installed`, {
      next: `Run \`npm install ${name}\`.`,
    });
  }
  const why = failure instanceof Error ? failure.message : String(failure);
  throw new AuditError('AUDIT_DRIVER_MISSING', 'core', `the package ${name} can not be loaded: ${why}`, {
    cause: failure,
    next: `Run \`npm install ${name}\`, in the version of @indelible/core.`,
  });
}

/** Where core is linked or nested elsewhere, the application's own dependencies are not beside it. */
async function importFrom(file: string, name: string): Promise<unknown> {
  const { createRequire } = await import('node:module');
  return import(pathToFileURL(createRequire(file).resolve(name)).href);
}

/** The script that Node was started with: a service runs in another directory than its application's. */
function mainScript(): string | undefined {
  const script = process.argv[1];
  return script !== undefined && existsSync(script) ? realpathSync(script) : undefined;
}

function isStorePackage(loaded: unknown): loaded is StorePackage {
  return (
    typeof loaded === 'object' &&
    loaded !== null &&
    'openStore' in loaded &&
    typeof loaded.openStore === 'function'
  );
}

/** The package itself is missing, and not something that it imports. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  const { code, message } = error;
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message.includes(`'${name}'`);
}
