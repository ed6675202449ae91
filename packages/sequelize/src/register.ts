import {
  createRegisteredAudit,
  findModules,
  loadModule,
  readProperty as read,
  readRegisterSettings,
} from '@indelible/capture';
import { auditSequelize, isAudited } from './audit-sequelize.js';
import { type SequelizeLike, unsupported } from './reach-sequelize.js';

/**
 * Audits every Sequelize instance of a process whose application knows nothing of it:
 * `node --import @indelible/sequelize/register`. What it is told it is told by environment variables.
 */
const settings = readRegisterSettings(process.env);

for (const Sequelize of findClasses()) {
  const addHook = read(Sequelize, 'addHook');
  if (typeof addHook !== 'function')
    throw unsupported('Sequelize has no hooks of its class', 'Use Sequelize 6.');
  Reflect.apply(addHook, Sequelize, ['afterInit', attach]);
}

/** Both of the ways in which an application loads Sequelize give one class; a second installation has its own. */
function findClasses(): ReadonlySet<object> {
  const found = new Set<object>();
  for (const path of findModules('sequelize', import.meta.url)) {
    const own = read(loadModule(path), 'Sequelize');
    if (typeof own === 'function') found.add(own);
  }
  if (found.size === 0)
    throw unsupported('sequelize can not be found', 'Start the application in its own directory.');
  return found;
}

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED`, `AUDIT_ORM_UNSUPPORTED`: the application does not start unaudited */
function attach(sequelize: SequelizeLike): void {
  if (isAudited(sequelize)) return;
  const { audit, prepare, release } = createRegisteredAudit(settings);
  const { reads } = settings;
  let prepared: Promise<void> | undefined;
  const first = (): Promise<void> => {
    prepared ??= prepare();
    return prepared;
  };
  sequelize.addHook('beforeConnect', first);
  auditSequelize(sequelize, { audit, ...(reads.length === 0 ? {} : { reads }) });
  const close = read(sequelize, 'close');
  if (typeof close !== 'function')
    throw unsupported('this Sequelize instance has no close()', 'Use Sequelize 6.');
  Reflect.set(sequelize, 'close', async (): Promise<unknown> => {
    const closed: unknown = await Reflect.apply(close, sequelize, []);
    await release();
    return closed;
  });
}
