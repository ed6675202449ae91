import {
  createRegisteredAudit,
  findModules,
  loadModule,
  type RegisteredAudit,
  readRegisterSettings,
} from '@indelible/capture';
import { DataSource } from 'typeorm';
import { auditDataSource, isAudited } from './audit-data-source.js';
import { reachMethodOf, unsupported } from './reach.js';

/**
 * Audits every data source of a process whose application knows nothing of it: `node --import @indelible/typeorm/register`.
 * What it is told it is told by environment variables. A data source that the application audits itself is left to it.
 */
const settings = readRegisterSettings(process.env);
const registered = new WeakMap<object, RegisteredAudit>();

for (const prototype of findPrototypes()) watch(prototype);

/** Both of the ways in which an application loads TypeORM give one class; a second installation has its own. */
function findPrototypes(): ReadonlySet<object> {
  const found = new Set<object>([DataSource.prototype]);
  for (const path of findModules('typeorm', import.meta.url)) {
    const loaded = loadModule(path);
    const own: unknown =
      typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'DataSource') : undefined;
    if (typeof own !== 'function') throw unsupported(`there is no DataSource in ${path}`);
    found.add(own.prototype as object);
  }
  return found;
}

function watch(prototype: object): void {
  const initialize = reachMethodOf(prototype, 'initialize');
  Reflect.set(prototype, 'initialize', async function (this: DataSource): Promise<unknown> {
    const audit = attach(this);
    // What TypeORM migrates while it starts is recorded; what it drops it drops while it starts.
    await audit?.prepare();
    const initialized = await initialize(this, []);
    await audit?.prepare();
    return initialized;
  });
  const destroy = reachMethodOf(prototype, 'destroy');
  Reflect.set(prototype, 'destroy', async function (this: DataSource): Promise<unknown> {
    const destroyed = await destroy(this, []);
    await registered.get(this)?.release();
    return destroyed;
  });
}

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED`, `AUDIT_ORM_UNSUPPORTED`: the application does not start unaudited */
function attach(dataSource: DataSource): RegisteredAudit | undefined {
  const known = registered.get(dataSource);
  if (known !== undefined) return known;
  if (isAudited(dataSource)) return undefined;
  const made = createRegisteredAudit(settings);
  const { reads } = settings;
  auditDataSource(dataSource, { audit: made.audit, ...(reads.length === 0 ? {} : { reads }) });
  registered.set(dataSource, made);
  return made;
}
