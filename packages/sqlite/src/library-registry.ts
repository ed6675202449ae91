import { AuditError } from '@indelible/core';

/**
 * Which SQLite library the ORMs of this process use, by the real path of the file. Shared by all copies of this package
 * and written by ORM packages too, which need not import it:
 * `(globalThis[Symbol.for('indelible.sqlite.libraries.v1')] ??= new Map()).set(realPath, 'libsql')`.
 */
const ANNOUNCED = Symbol.for('indelible.sqlite.libraries.v1');
/** Which library the stores of this process have opened a file with, once and for all. */
const OPENED = Symbol.for('indelible.sqlite.opened.v1');

interface Registries {
  [ANNOUNCED]?: Map<string, string>;
  [OPENED]?: Map<string, string>;
}

function announced(): Map<string, string> {
  const holder = globalThis as Registries;
  holder[ANNOUNCED] ??= new Map();
  return holder[ANNOUNCED];
}

function opened(): Map<string, string> {
  const holder = globalThis as Registries;
  holder[OPENED] ??= new Map();
  return holder[OPENED];
}

/** The library that an ORM of this process uses for the file. */
export function tryGetAnnouncedLibrary(realPath: string): string | undefined {
  return announced().get(realPath);
}

/** The library that has the file in this process: an ORM's, or that of a store. */
export function tryGetKnownLibrary(realPath: string): string | undefined {
  return announced().get(realPath) ?? opened().get(realPath);
}

/**
 * For ORM packages, before the first connection: this library opens the file in this process.
 *
 * @param realPath as `fs.realpath` gives it
 * @param library `libsql`, `node:sqlite`, `better-sqlite3`
 * @throws AuditError `AUDIT_DRIVER_CONFLICT` where a store or an ORM has the file with another library
 */
export function announceLibrary(realPath: string, library: string): void {
  const other = [opened().get(realPath), announced().get(realPath)].find(
    (known) => known !== undefined && known !== library,
  );
  if (other !== undefined) throw conflict(realPath, other, library);
  announced().set(realPath, library);
}

/**
 * Enters the library that a store opens the file with. It stays the file's library while the process lives: a closed
 * connection is not gone until its statements are collected, and takes the locks of the whole process along when it goes.
 *
 * @throws AuditError `AUDIT_DRIVER_CONFLICT`
 */
export function enterLibrary(realPath: string, library: string): void {
  refuseForeignLibrary(realPath, library);
  opened().set(realPath, library);
}

/** Looked at in each call, because an ORM package may write to the map at any time. @throws AuditError `AUDIT_DRIVER_CONFLICT` */
export function refuseForeignLibrary(realPath: string, library: string): void {
  const other = [announced().get(realPath), opened().get(realPath)].find(
    (known) => known !== undefined && known !== library,
  );
  if (other !== undefined) throw conflict(realPath, other, library);
}

function conflict(realPath: string, there: string, wanted: string): AuditError {
  const name = realPath.slice(Math.max(realPath.lastIndexOf('/'), realPath.lastIndexOf('\\')) + 1);
  return new AuditError(
    'AUDIT_DRIVER_CONFLICT',
    'sqlite',
    `${name} is in use in this process by ${there}, and may not be opened by ${wanted} too`,
  );
}
