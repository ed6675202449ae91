import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import autocannon from 'autocannon';
import type { ServerMode, ServerReport } from './express-server.js';
import { type Figure, paired } from './paired.js';

export interface ExpressResult {
  readonly figures: readonly Figure[];
  /** Of the longest load with every request recorded. */
  readonly sustained: ServerReport & { readonly seconds: number };
}

const CONTEXT_NOTE =
  'what it costs beside bare Express is AsyncLocalStorage, the response header that echoes the request id, and, to the one made by hand, the scope that ends with the response and finds the actor late: in a profile 5 % of the time goes into opening it.';
const RECORDED_NOTE =
  'in a profile 18 % of the time of the main thread goes into making the event, its bytes being half of that. The thread that appends and seals takes another 60 µs an event of the second core, which it shares with the load generator here.';

interface Server {
  readonly process: ChildProcess;
  readonly port: number;
}

/** A JSON route under load, each server in a process of its own, the load in this one. */
export async function expressBench(pairs: number, seconds: number): Promise<ExpressResult> {
  const servers = new Map<ServerMode, Server>();
  for (const mode of ['bare', 'by-hand', 'context', 'recorded'] as const)
    servers.set(mode, await start(mode));
  try {
    const load = (mode: ServerMode) => async (): Promise<number> => {
      const server = servers.get(mode);
      if (server === undefined) throw new Error(`no server ${mode}`);
      const result = await requestsPerSecond(server.port, seconds);
      if (mode === 'recorded') await ask(server);
      return result;
    };
    for (const mode of servers.keys()) await load(mode)();
    const compare = (
      name: string,
      subject: ServerMode,
      baseline: ServerMode,
      told: string,
      target: number,
      note: string,
    ) =>
      paired({
        name,
        note,
        baseline: told,
        pairs,
        unit: 'requests/s',
        target: { sign: '>=', value: target },
        measureSubject: load(subject),
        measureBaseline: load(baseline),
      });
    const figures = [
      await compare('Express, context only', 'context', 'bare', 'bare Express', 0.95, CONTEXT_NOTE),
      await compare(
        'Express, context only',
        'context',
        'by-hand',
        'AsyncLocalStorage and randomUUID by hand',
        1,
        CONTEXT_NOTE,
      ),
      await compare(
        'Express, every request recorded',
        'recorded',
        'bare',
        'bare Express',
        0.75,
        RECORDED_NOTE,
      ),
    ];
    const recorded = servers.get('recorded');
    if (recorded === undefined) throw new Error('no server that records');
    await requestsPerSecond(recorded.port, seconds * 3);
    return { figures, sustained: { ...(await ask(recorded)), seconds: seconds * 3 } };
  } finally {
    for (const { process: child } of servers.values()) {
      child.send('end');
      await once(child, 'exit');
    }
  }
}

async function start(mode: ServerMode): Promise<Server> {
  const child = fork(new URL('./express-server.js', import.meta.url), [mode]);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { process: child, port: message.port };
}

async function ask({ process: child }: Server): Promise<ServerReport> {
  child.send('report');
  const [message] = (await once(child, 'message')) as [{ report: ServerReport }];
  return message.report;
}

async function requestsPerSecond(port: number, seconds: number): Promise<number> {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/items/7`,
    connections: 32,
    duration: seconds,
    workers: 0,
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were not 2xx, ${result.errors} requests failed`);
  }
  return result.requests.total / result.duration;
}
