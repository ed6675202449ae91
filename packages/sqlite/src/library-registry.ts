import { AuditError } from '@indelible/core';

/**
 * Which SQLite library the ORMs of this process use, by the real path of the file. Shared by all copies of this package
 * and written by ORM packages too, which need not import it:
 * `(globalThis[Symbol.for('indelible.sqlite.libraries.v1')] ??= new Map()).set(realPath, 'libsql')`.
 */
const ANNOUNCED = Symbol.for('indelible.sqlite.libraries.v1');
/** Which library the open stores of this process use, and how many stores. */
const OPENED = Symbol.for('indelible.sqlite.opened.v1');

interface Opened {
  readonly library: string;
  stores: number;
}

interface Registries {
  [ANNOUNCED]?: Map<string, string>;
  [OPENED]?: Map<string, Opened>;
}

function announced(): Map<string, string> {
  const holder = globalThis as Registries;
  holder[ANNOUNCED] ??= new Map();
  return holder[ANNOUNCED];
}

function opened(): Map<string, Opened> {
  const holder = globalThis as Registries;
  holder[OPENED] ??= new Map();
  return holder[OPENED];
}

/** The library that an ORM of this process uses for the file. */
export function tryGetAnnouncedLibrary(realPath: string): string | undefined {
  return announced().get(realPath);
}

/**
 * For ORM packages, before the first connection: this library opens the file in this process.
 *
 * @param realPath as `fs.realpath` gives it
 * @param library `libsql`, `node:sqlite`, `better-sqlite3`
 * @throws AuditError `AUDIT_DRIVER_CONFLICT` where a store or an ORM has the file with another library
 */
export function announceLibrary(realPath: string, library: string): void {
  const other = [opened().get(realPath)?.library, announced().get(realPath)].find(
    (known) => known !== undefined && known !== library,
  );
  if (other !== undefined) throw conflict(realPath, other, library);
  announced().set(realPath, library);
}

/**
 * Enters a store's library for as long as the store is open.
 *
 * @throws AuditError `AUDIT_DRIVER_CONFLICT`
 */
export function enterLibrary(realPath: string, library: string): void {
  refuseForeignLibrary(realPath, library);
  const entry = opened().get(realPath);
  if (entry === undefined) opened().set(realPath, { library, stores: 1 });
  else if (entry.library === library) entry.stores += 1;
  else throw conflict(realPath, entry.library, library);
}

export function leaveLibrary(realPath: string): void {
  const entry = opened().get(realPath);
  if (entry === undefined) return;
  entry.stores -= 1;
  if (entry.stores === 0) opened().delete(realPath);
}

/** An ORM package may have written to the map since the store was opened. @throws AuditError `AUDIT_DRIVER_CONFLICT` */
export function refuseForeignLibrary(realPath: string, library: string): void {
  const other = announced().get(realPath);
  if (other !== undefined && other !== library) throw conflict(realPath, other, library);
}

function conflict(realPath: string, there: string, wanted: string): AuditError {
  const name = realPath.slice(Math.max(realPath.lastIndexOf('/'), realPath.lastIndexOf('\\')) + 1);
  return new AuditError(
    'AUDIT_DRIVER_CONFLICT',
    'sqlite',
    `${name} is in use in this process by ${there}, and may not be opened by ${wanted} too`,
  );
}
