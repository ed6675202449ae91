import { AuditError } from '@indelible/core';

/** What auditing must know of a driver adapter, because its interface does not say it. */
export interface AdapterProfile {
  readonly adapterName: string;
  readonly provider: 'sqlite';
  /** The SQLite library beneath: a second one in this process must not open the same file. */
  readonly library: 'libsql' | 'better-sqlite3';
  /** True if statements outside of an open transaction run on the connection of that transaction. */
  readonly sharesConnection: boolean;
}

const PROFILES: readonly AdapterProfile[] = [
  {
    adapterName: '@prisma/adapter-libsql',
    provider: 'sqlite',
    library: 'libsql',
    sharesConnection: false,
  },
  {
    adapterName: '@prisma/adapter-better-sqlite3',
    provider: 'sqlite',
    library: 'better-sqlite3',
    sharesConnection: true,
  },
];

/** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for an adapter that was not tried */
export function getAdapterProfile(adapterName: string): AdapterProfile {
  const profile = PROFILES.find((candidate) => candidate.adapterName === adapterName);
  if (profile !== undefined) return profile;
  const known = PROFILES.map((candidate) => candidate.adapterName).join(', ');
  throw new AuditError(
    'AUDIT_DATABASE_UNSUPPORTED',
    'prisma',
    `the driver adapter ${adapterName} can not be audited; these can: ${known}`,
  );
}
