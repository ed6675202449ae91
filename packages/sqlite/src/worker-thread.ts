import { parentPort, workerData } from 'node:worker_threads';
import { auditErrorCode, type PortableCompute, type SealOutcome, type SealRequest } from '@indelible/core';
import { appendEvents } from './append.js';
import { deadlineIn } from './busy-retry.js';
import { ConnectionHolder } from './connection-holder.js';
import { DatabaseFile } from './database-file.js';
import { sealBatch } from './seal.js';
import { BusyError } from './sqlite-error.js';
import {
  packError,
  READY,
  unpackEvents,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSettings,
} from './worker-messages.js';

// The thread that `WorkerWriter` starts: the same transactions as in the main thread, on a connection of its own.
const { path, library, synchronous }: WorkerSettings = workerData;
const holder = new ConnectionHolder(new DatabaseFile(path), library, synchronous);

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case 'append': {
      const events = unpackEvents(request.events);
      return holder.use((connection) => appendEvents(connection, events), deadlineIn(request.timeoutMs));
    }
    case 'seal':
      return seal(request.log, request.limit, request.portable);
    case 'close':
      holder.end();
      return undefined;
  }
}

async function seal(log: string, limit: number, portable: PortableCompute): Promise<SealOutcome> {
  const compute = await makeCompute(portable);
  try {
    return holder.useOnce((connection) => sealBatch(connection, { log, limit, compute }));
  } catch (error) {
    if (error instanceof BusyError) return { sealed: 0, busy: true };
    throw error;
  }
}

async function makeCompute({ module, name, data }: PortableCompute): Promise<SealRequest['compute']> {
  const loaded: unknown = await import(module);
  const make: unknown = typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, name) : undefined;
  if (typeof make !== 'function') throw new TypeError(`[indelible/sqlite] ${module} exports no ${name}`);
  return make(data);
}

parentPort?.on('message', (request: WorkerRequest) => {
  const { number } = request;
  const reply = (message: WorkerReply) => parentPort?.postMessage(message);
  answer(request)
    .then(
      (value) => reply({ number, value }),
      (error: unknown) => reply({ number, failure: packError(error, auditErrorCode(error)) }),
    )
    .finally(() => {
      if (request.kind === 'close') parentPort?.close();
    });
});

parentPort?.postMessage(READY);
