import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A proxy in front of a PostgreSQL server, on a thread of its own. */
export interface CountingProxy {
  /** The way through it to this database. */
  through(url: string): string;
  /** Round trips since the last call: messages of the client that ask the server to answer. */
  count(): Promise<number>;
  /** Holds back what the client sends, in milliseconds. */
  delay(ms: number): void;
  close(): Promise<void>;
}

export async function startProxy(url: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(url);
  const worker = new Worker(new URL('./proxy-thread.js', import.meta.url), {
    workerData: { host: hostname, port: port === '' ? 5_432 : Number(port) },
  });
  const [own] = (await once(worker, 'message')) as [number];
  return {
    through: (direct) => {
      const way = new URL(direct);
      way.hostname = '127.0.0.1';
      way.port = String(own);
      return way.href;
    },
    count: async () => {
      worker.postMessage('count');
      const [count] = (await once(worker, 'message')) as [number];
      return count;
    },
    delay: (ms) => worker.postMessage(ms),
    close: async () => void (await worker.terminate()),
  };
}
