import { setTimeout as pause } from 'node:timers/promises';
import type { DatabaseKind } from './account-client.js';
import { CommitProxy } from './commit-proxy.js';
import type { HammerTarget, Injection } from './hammer-target.js';
import type { KillableServer } from './killable-server.js';
import { createSmallDisk } from './small-disk.js';

type Rows = readonly Readonly<Record<string, unknown>>[];

export interface ServerTargetOptions {
  readonly kind: DatabaseKind;
  /** Of the disk. */
  readonly megabytes: number;
  readonly create: (
    directory: string,
  ) => Promise<KillableServer & { readonly port: number; readonly url: string }>;
  readonly tables: HammerTarget['tables'];
  /** Statements that make the table of the workload. */
  readonly setUp: readonly string[];
  /** A query for the server's version, as a column `version`. */
  readonly version: string;
  /** What the database is called. */
  readonly name: string;
  /** Runs one statement on a connection of its own. */
  readonly run: (url: string, sql: string) => Promise<Rows>;
}

/** A server of its own on a small disk, behind a proxy that loses commits. */
export async function openServerTarget(options: ServerTargetOptions): Promise<HammerTarget> {
  const disk = createSmallDisk(options.megabytes);
  const server = await options.create(disk.directory);
  await server.start();
  const proxy = new CommitProxy(server.port);
  const url = new URL(server.url);
  url.port = String(await proxy.open());
  const read = (sql: string): Promise<Rows> => options.run(server.url, sql);
  for (const statement of options.setUp) await read(statement);
  const [told] = await read(options.version);

  let crashes = 0;
  let fills = 0;
  const cut: Injection = {
    name: 'connections cut at COMMIT',
    count: () => proxy.cutBefore + proxy.cutAfter,
    async strike(random) {
      proxy.toCut = 1 + Math.floor(random() * 6);
      await pause(300);
    },
  };
  const crash: Injection = {
    name: 'the server killed and started again',
    count: () => crashes,
    async strike() {
      await server.crash();
      crashes += 1;
      await pause(200);
      await server.start();
    },
  };
  const full: Injection = {
    name: 'the disk full for a second',
    count: () => fills,
    async strike() {
      disk.fill();
      fills += 1;
      await pause(1_000);
      disk.free();
      // A server that can not write its log ends itself.
      await server.start();
    },
  };
  return {
    kind: options.kind,
    label: `${options.name} ${String(told?.version)}`,
    url: url.href,
    directUrl: server.url,
    injections: disk.canFill ? [cut, cut, cut, crash, full] : [cut, cut, cut, crash],
    notInjected: disk.canFill ? [] : ['a full disk: none can be mounted here'],
    tables: options.tables,
    async settle() {
      proxy.toCut = 0;
      disk.free();
      await server.start();
    },
    read,
    async close() {
      await proxy.close();
      await server.stop();
      disk.remove();
    },
  };
}
