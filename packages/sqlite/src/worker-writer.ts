import { Worker } from 'node:worker_threads';
import {
  type AppendOutcome,
  AuditError,
  type PortableCompute,
  type PreparedEvent,
  type SealOutcome,
} from '@indelible/core';
import {
  packEvents,
  READY,
  unpackError,
  type WorkerCall,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSettings,
} from './worker-messages.js';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Writes in a thread of its own, so that neither SQLite's work nor the disk's waiting is on the event loop. */
export class WorkerWriter {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #idle: (() => void)[] = [];
  #next = 0;
  #failure: AuditError | undefined;
  #ready = false;

  constructor(settings: WorkerSettings) {
    this.#worker = new Worker(new URL('./worker-thread.js', import.meta.url), {
      workerData: settings,
      // Not the parent's flags: a loader or an inspector of the application is none of its business.
      execArgv: [],
    });
    this.#worker.unref();
    this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on('error', (cause) => this.#fail(cause));
    this.#worker.on('exit', () => this.#fail(undefined));
  }

  /** True from when the thread has started; it never does where a bundler has left its file behind. */
  get ready(): boolean {
    return this.#ready;
  }

  /** True once the thread has ended: another one has to be started. */
  get dead(): boolean {
    return this.#failure !== undefined;
  }

  append(events: readonly PreparedEvent[], timeoutMs: number): Promise<AppendOutcome> {
    const packed = packEvents(events);
    return this.#call<AppendOutcome>({ kind: 'append', events: packed, timeoutMs }, [packed.bytes]);
  }

  seal(log: string, limit: number, portable: PortableCompute): Promise<SealOutcome> {
    return this.#call<SealOutcome>({ kind: 'seal', log, limit, portable });
  }

  /** Resolves when all that was asked for before is done and the file is closed. */
  async close(): Promise<void> {
    if (this.dead) return;
    if (this.#waiting.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    await this.#call({ kind: 'close' }).catch(() => {});
    // The thread's last act; until then it keeps this process alive.
    this.#worker.ref();
    await ended;
  }

  #call<T>(call: WorkerCall, transfer: ArrayBuffer[] = []): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const number = this.#next;
    this.#next += 1;
    // A process must not end while it waits for an answer, and must not live on for a thread that has nothing to do.
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(number, { resolve: (value) => resolve(value as T), reject });
      const request: WorkerRequest = { ...call, number };
      this.#worker.postMessage(request, transfer);
    });
  }

  #settle(reply: WorkerReply): void {
    if (reply === READY) {
      this.#ready = true;
      return;
    }
    const waiting = this.#waiting.get(reply.number);
    if (waiting === undefined) return;
    this.#waiting.delete(reply.number);
    if (this.#waiting.size === 0) this.#rest();
    if ('failure' in reply) waiting.reject(unpackError(reply.failure));
    else waiting.resolve(reply.value);
  }

  #fail(cause: unknown): void {
    this.#failure ??= new AuditError('AUDIT_STORE_UNAVAILABLE', 'sqlite', 'the writing thread has ended', {
      cause,
    });
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
    this.#rest();
  }

  #rest(): void {
    this.#worker.unref();
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
