import { AuditError, auditErrorCode } from '@indelible/core';
import { type Deadline, retryWhileBusy } from './busy-retry.js';
import { chooseDriver, type DriverChoice, isLibraryName, type LibraryName } from './choose-driver.js';
import { Connection, type Synchronous } from './connection.js';
import type { DatabaseFile } from './database-file.js';
import type { SqliteDriver } from './driver.js';
import { enterLibrary, refuseForeignLibrary } from './library-registry.js';
import { requireSchema } from './schema-version.js';
import { tablesMissing } from './sqlite-error.js';

/** Opens the one connection of a store when it is needed, and anew after the file has failed or was replaced. */
export class ConnectionHolder {
  #connection: Connection | undefined;
  #identity: string | undefined;
  #driver: SqliteDriver | undefined;
  #ended = false;

  constructor(
    readonly file: DatabaseFile,
    readonly choice: DriverChoice,
    readonly synchronous: Synchronous,
    readonly readOnly = false,
  ) {
    // What was named is looked for at once; `auto` waits for the first call, when the ORMs have announced themselves.
    if (choice !== 'auto') this.#choose();
  }

  /** Runs work on a database that has the tables, and again while it is locked. */
  use<T>(work: (connection: Connection) => T, deadline: Deadline): Promise<T> {
    return retryWhileBusy(() => this.useOnce(work), deadline, this.file.name);
  }

  /** @throws BusyError */
  useOnce<T>(work: (connection: Connection) => T): T {
    return this.#attempt(() => {
      if (this.file.identity() === undefined) throw tablesMissing(this.file.name, 'there is no such file');
      const connection = this.#open();
      requireSchema(connection);
      return work(connection);
    });
  }

  /** Runs work on whatever is there, and makes the file where there is none: for migrations. */
  create<T>(work: (connection: Connection) => T, deadline: Deadline): Promise<T> {
    return retryWhileBusy(() => this.#attempt(() => work(this.#open())), deadline, this.file.name);
  }

  /** Closes the file for good: calls that are still trying end with `AUDIT_CLOSED`. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#close();
  }

  /** @throws AuditError `AUDIT_CLOSED` */
  refuseEnded(): void {
    if (this.#ended)
      throw new AuditError('AUDIT_CLOSED', 'sqlite', `the store of ${this.file.name} is closed`);
  }

  #close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** The library by the name that another thread can load it by; undefined where the application passed a driver. */
  tryGetLibraryName(): LibraryName | undefined {
    if (typeof this.choice === 'object') return undefined;
    const { library } = this.#choose();
    return isLibraryName(library) ? library : undefined;
  }

  #attempt<T>(work: () => T): T {
    this.refuseEnded();
    if (this.#driver !== undefined) refuseForeignLibrary(this.file.path, this.#driver.library);
    this.#refuseReplacedFile();
    try {
      return work();
    } catch (error) {
      if (auditErrorCode(error) === 'AUDIT_STORE_UNAVAILABLE') this.#close();
      throw error;
    }
  }

  #open(): Connection {
    if (this.#connection === undefined) {
      const driver = this.#choose();
      enterLibrary(this.file.path, driver.library);
      this.#connection = new Connection(
        driver,
        this.file.path,
        this.file.name,
        this.synchronous,
        this.readOnly,
      );
      this.#identity = this.file.identity();
    }
    return this.#connection;
  }

  #choose(): SqliteDriver {
    this.#driver ??= chooseDriver(this.choice, this.file.path);
    refuseForeignLibrary(this.file.path, this.#driver.library);
    return this.#driver;
  }

  /** Writes to a file that has lost its name succeed and are gone with the process. */
  #refuseReplacedFile(): void {
    if (this.#connection === undefined || this.file.identity() === this.#identity) return;
    this.#close();
    throw new AuditError(
      'AUDIT_STORE_UNAVAILABLE',
      'sqlite',
      `the database file ${this.file.name} was removed or replaced while it was in use`,
    );
  }
}
