import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { AuditError } from './audit-error.js';
import {
  adoptSpoolFiles,
  createSpoolFile,
  freeSpoolFile,
  isUnlinked,
  keepDamagedFile,
  keepRejected,
  readSpoolFile,
  removeSpoolFile,
  type SpoolFile,
  spoolFileName,
  spoolFileTime,
  touchSpoolFile,
} from './spool-file.js';
import { encodeFrame } from './spool-frame.js';
import { ownSpoolOwner } from './spool-owner.js';

export interface SpoolOptions {
  readonly directory: string;
  /** Bytes of all files of this process together. */
  readonly maxBytes: number;
  /** Payloads in them. */
  readonly maxEvents: number;
  /** Which store the events are for, 8 hex digits: processes take over files for their own store only. */
  readonly target: string;
  /** Told of a damaged file and of the number of places where records are lost: 0 for one that is cut short. */
  readonly onDamage: (error: AuditError, lost: number) => void;
}

/** A file this large is closed and the next one begun, so that reading one back takes little memory. */
const FILE_BYTES = 4 * 1024 * 1024;
const TOUCH_MS = 60_000;

interface Write {
  readonly frames: readonly Buffer[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Current {
  readonly file: SpoolFile;
  readonly handle: FileHandle;
}

/** What is read back from the oldest file. */
interface Reading {
  readonly file: SpoolFile;
  readonly payloads: readonly Uint8Array[];
  at: number;
}

/**
 * A durable queue of payloads, in files of this process alone. `write` resolves when the bytes are on the disk; many
 * writers share one fsync. What `peek` gives stays until it is confirmed, so that a crash repeats it and never loses it.
 */
export class Spool {
  private readonly owner = ownSpoolOwner();
  private readonly closed: SpoolFile[] = [];
  private current: Current | null = null;
  private queue: Write[] = [];
  private queuedBytes = 0;
  private queuedEvents = 0;
  private pumping: Promise<void> | null = null;
  private reading: Reading | null = null;
  private count = 0;
  private toucher: ReturnType<typeof setInterval> | null = null;

  constructor(private readonly options: SpoolOptions) {}

  /** The number of payloads that wait. Those of a file that was taken over count once it is read. */
  get size(): number {
    return this.count;
  }

  get isEmpty(): boolean {
    const { current, closed, reading, queue, pumping } = this;
    if (current !== null || closed.length > 0 || queue.length > 0 || pumping !== null) return false;
    return reading === null || reading.at >= reading.payloads.length;
  }

  get bytes(): number {
    const closed = this.closed.reduce((sum, file) => sum + file.bytes, 0);
    return closed + (this.reading?.file.bytes ?? 0) + (this.current?.file.bytes ?? 0);
  }

  /** When the oldest file with something in it was begun, in milliseconds since 1970-01-01 UTC; null where there is none. */
  get oldest(): number | null {
    if (this.reading !== null && this.reading.at < this.reading.payloads.length) {
      return spoolFileTime(this.reading.file);
    }
    const first = this.closed[0] ?? this.current?.file;
    return first === undefined ? null : spoolFileTime(first);
  }

  /**
   * Several payloads of one call stand together.
   *
   * @throws AuditError `AUDIT_SPOOL_FULL`, `AUDIT_SPOOL_UNAVAILABLE`
   */
  async write(payloads: readonly Uint8Array[]): Promise<void> {
    const frames = payloads.map(encodeFrame);
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    const { maxBytes, maxEvents } = this.options;
    if (this.bytes + this.queuedBytes + bytes > maxBytes) throw full(`${maxBytes} bytes`);
    if (this.count + this.queuedEvents + frames.length > maxEvents) throw full(`${maxEvents} events`);
    this.queuedBytes += bytes;
    this.queuedEvents += frames.length;
    await new Promise<void>((resolve, reject) => {
      this.queue.push({ frames, resolve, reject });
      this.pumping ??= this.pump();
    });
  }

  /** Takes over the files of processes that are gone. @returns how many */
  async adopt(): Promise<number> {
    try {
      const files = await adoptSpoolFiles(this.options.directory, this.options.target, this.owner);
      this.closed.push(...files);
      this.closed.sort((one, other) => (one.name < other.name ? -1 : 1));
      return files.length;
    } catch (cause) {
      throw unavailable('the spool directory can not be read', cause);
    }
  }

  /** The oldest payloads that were not confirmed, at most `limit`; none where the spool is empty. */
  async peek(limit: number): Promise<readonly Uint8Array[]> {
    try {
      for (;;) {
        if (this.reading !== null) {
          const { payloads, at, file } = this.reading;
          if (at < payloads.length) return payloads.slice(at, at + limit);
          await removeSpoolFile(file);
          this.reading = null;
        }
        if (this.closed.length === 0) await this.closeCurrent();
        const [file] = this.closed;
        if (file === undefined) return [];
        await this.read(file);
      }
    } catch (cause) {
      throw unavailable('the spool can not be read', cause);
    }
  }

  /** The first `count` of what `peek` gave are in the store. */
  confirm(count: number): void {
    if (this.reading === null) return;
    this.reading.at += count;
    this.count = Math.max(0, this.count - count);
  }

  /** Puts the first of what `peek` gave aside, in a file that is kept for people. */
  async reject(): Promise<void> {
    const payload = this.reading?.payloads[this.reading.at];
    if (payload === undefined) return;
    await keepRejected(this.options.directory, fileKey(), encodeFrame(payload));
    this.confirm(1);
  }

  /** Lets go of the files that still hold something, for the next process. */
  async close(): Promise<void> {
    await this.closeCurrent();
    if (this.toucher !== null) clearInterval(this.toucher);
    this.toucher = null;
    const { reading } = this;
    this.reading = null;
    if (reading !== null && reading.at >= reading.payloads.length) await removeSpoolFile(reading.file);
    else if (reading !== null) this.closed.unshift(reading.file);
    for (const file of this.closed.splice(0)) await freeSpoolFile(this.options.directory, file);
  }

  private async read(file: SpoolFile): Promise<void> {
    const frames = await readSpoolFile(file);
    this.closed.splice(this.closed.indexOf(file), 1);
    if (frames === undefined) {
      const lost = file.events ?? 0;
      this.count = Math.max(0, this.count - lost);
      this.options.onDamage(damage(file, 'gone: somebody removed it'), lost);
      return;
    }
    const { payloads, damaged, torn } = frames;
    this.count += payloads.length - (file.events ?? 0);
    file.events = payloads.length;
    this.reading = { file, payloads, at: 0 };
    if (damaged === 0 && !torn) return;
    const what = damaged > 0 ? `damaged in ${damaged} places` : 'cut short in its last record';
    this.options.onDamage(damage(file, what), damaged);
    await keepDamagedFile(file);
  }

  private async pump(): Promise<void> {
    while (this.queue.length > 0) {
      const batch = this.queue;
      this.queue = [];
      const frames = batch.flatMap((write) => write.frames);
      const bytes = Buffer.concat(frames);
      try {
        await this.append(bytes, frames.length);
        for (const write of batch) write.resolve();
      } catch (cause) {
        const error = unavailable('the spool can not be written', cause);
        for (const write of batch) write.reject(error);
      } finally {
        this.queuedBytes -= bytes.length;
        this.queuedEvents -= frames.length;
      }
    }
    this.pumping = null;
  }

  private async append(bytes: Buffer, events: number, again = true): Promise<void> {
    const current = this.current ?? (await this.begin());
    const { file, handle } = current;
    try {
      await handle.appendFile(bytes);
      await handle.datasync();
      if (again && (await isUnlinked(handle))) {
        await this.retire(current);
        return this.append(bytes, events, false);
      }
    } catch (error) {
      // What was written of these records must not stand before the next ones.
      await handle.truncate(file.bytes).catch(() => {});
      await this.retire(current);
      throw error;
    }
    file.bytes += bytes.length;
    file.events = (file.events ?? 0) + events;
    this.count += events;
    if (file.bytes >= FILE_BYTES) await this.retire(current);
  }

  private async begin(): Promise<Current> {
    const { directory, target } = this.options;
    const { file, handle } = await createSpoolFile(directory, spoolFileName(fileKey(), target, this.owner));
    this.toucher ??= setInterval(() => this.touch(), TOUCH_MS).unref();
    this.current = { file, handle };
    return this.current;
  }

  private async closeCurrent(): Promise<void> {
    while (this.pumping !== null) await this.pumping;
    if (this.current !== null) await this.retire(this.current);
  }

  private async retire({ file, handle }: Current): Promise<void> {
    this.current = null;
    this.closed.push(file);
    await handle.close();
  }

  private touch(): void {
    for (const file of [...this.closed, this.reading?.file, this.current?.file]) {
      if (file !== undefined) void touchSpoolFile(file);
    }
  }
}

/** Sorts by time, and by the order of making within one process. */
let lastKeyTime = 0;
function fileKey(): string {
  lastKeyTime = Math.max(Date.now(), lastKeyTime + 1);
  return `${lastKeyTime}.${randomBytes(4).toString('hex')}`;
}

function damage(file: SpoolFile, what: string): AuditError {
  return new AuditError('AUDIT_SPOOL_DAMAGED', 'core', `the spool file ${file.name} is ${what}`);
}

function full(limit: string): AuditError {
  return new AuditError('AUDIT_SPOOL_FULL', 'core', `the spool has reached its ${limit}`);
}

function unavailable(message: string, cause: unknown): AuditError {
  if (cause instanceof AuditError) return cause;
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new AuditError('AUDIT_SPOOL_UNAVAILABLE', 'core', `${message}${why}`, { cause });
}
