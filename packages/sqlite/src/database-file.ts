import { realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AuditError } from '@indelible/core';

/**
 * The path that a URL names: `file:./audit.db`, `file:///var/lib/audit.db`, `sqlite:audit.db`. Relative paths start at the
 * working directory; a query (`?connection_limit=1`) is for ORMs and is ignored.
 *
 * @throws AuditError `AUDIT_DATABASE_UNSUPPORTED` for a database in memory or behind a network
 */
export function pathOfUrl(url: string): string {
  const match = /^(file|sqlite):([^?#]*)/i.exec(url);
  if (match === null) {
    const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0] ?? 'a URL without a scheme';
    throw unsupported(url === ':memory:' ? 'a database in memory' : `${scheme} is no database file, which`);
  }
  const rest = match[2] ?? '';
  if (rest === '' || rest.includes(':memory:') || /[?&]mode=memory\b/.test(url)) {
    throw unsupported('a database in memory');
  }
  if (rest.startsWith('///')) return fileURLToPath(`file:${rest}`);
  const path = rest.replace(/^\/\/(?=\.)/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    // A percent sign that encodes nothing is one of the name.
    return path;
  }
}

/** A database file by one name: the real path, also where the file is not there yet. */
export class DatabaseFile {
  readonly path: string;
  /** Without its directory: for messages. */
  readonly name: string;

  /** @throws AuditError `AUDIT_DATABASE_UNSUPPORTED`, `AUDIT_STORE_UNAVAILABLE` where the directory is missing */
  constructor(file: string) {
    if (file === '' || file.startsWith(':memory:')) throw unsupported('a database in memory');
    const absolute = resolve(file);
    this.path = realPathOf(absolute);
    this.name = basename(absolute);
  }

  /** What tells this file from another one that takes its place. Undefined where there is none. */
  identity(): string | undefined {
    const stats = tryStat(this.path);
    return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
  }
}

function realPathOf(absolute: string): string {
  try {
    return realpathSync(absolute);
  } catch {
    // The file is not there yet, and then its directory has to be.
  }
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch (cause) {
    throw new AuditError(
      'AUDIT_STORE_UNAVAILABLE',
      'sqlite',
      `the directory for the database file ${basename(absolute)} does not exist`,
      { cause },
    );
  }
}

function tryStat(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function unsupported(what: string): AuditError {
  return new AuditError('AUDIT_DATABASE_UNSUPPORTED', 'sqlite', `${what} can not hold an audit log`, {
    next: 'Give it a file on a local disk: file:./audit.db.',
  });
}
