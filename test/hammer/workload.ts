import { setTimeout as pause } from 'node:timers/promises';
import type { Audit } from '@indelible/core';
import { type AccountClient, type DatabaseKind, RAW_UPDATE } from './account-client.js';
import { createRandom } from './random.js';

/** The rows that all processes fight for. */
export const SHARED_ACCOUNTS = Array.from({ length: 20 }, (_, n) => `shared-${n}`);

/** What a process tells of what it did; what it can not tell, because the answer was lost, it does not. */
export type Told =
  /** The operation is committed and changed so many rows. */
  | { readonly kind: 'done'; readonly operation: string; readonly rows: number }
  /** The operation was rolled back by its own will. */
  | { readonly kind: 'undone'; readonly operation: string }
  /** The event is durable. */
  | { readonly kind: 'recorded'; readonly id: string; readonly where: 'store' | 'spool' }
  /** An operation failed, or an event was refused: nobody was promised anything. */
  | { readonly kind: 'failed'; readonly code: string };

export interface Workload {
  readonly kind: DatabaseKind;
  readonly client: AccountClient;
  readonly audit: Audit;
  /** Begins the name of each operation. */
  readonly name: string;
  readonly seed: number;
  readonly tell: (told: Told) => void;
  readonly isOver: () => boolean;
}

class Unwanted extends Error {}

/** Changes accounts and records sign-ins, one operation after the other, until it is over. */
export async function work({ kind, client, audit, name, seed, tell, isOver }: Workload): Promise<void> {
  const random = createRandom(seed);
  const pick = (): string => SHARED_ACCOUNTS[Math.floor(random() * SHARED_ACCOUNTS.length)] ?? 'shared-0';
  const own: string[] = [];

  const operations: readonly ((operation: string) => Promise<number>)[] = [
    async (operation) => {
      const data = { balance: { increment: 1 }, note: operation };
      await client.account.update({ where: { id: pick() }, data });
      return 1;
    },
    async (operation) => {
      // Not in the order of their ids: deadlocks belong to it.
      const from = pick();
      const to = pick();
      if (from === to) return 0;
      await client.$transaction(async (tx) => {
        const take = { balance: { increment: -5 }, note: operation };
        await tx.account.update({ where: { id: from }, data: take });
        await tx.account.update({
          where: { id: to },
          data: { balance: { increment: 5 }, note: operation },
        });
      });
      return 2;
    },
    async (operation) => {
      await client.account.create({ data: { id: operation, balance: 0, note: operation } });
      own.push(operation);
      return 1;
    },
    async (operation) => {
      const ids = [...new Set([pick(), pick(), pick(), pick()])];
      const data = { balance: { increment: 1 }, note: operation };
      const { count } = await client.account.updateMany({ where: { id: { in: ids } }, data });
      return count;
    },
    (operation) => Promise.resolve(client.$executeRawUnsafe(RAW_UPDATE[kind], operation, pick())),
    async (operation) => {
      const id = own.pop();
      if (id === undefined) return 0;
      await client.$transaction(async (tx) => {
        await tx.account.update({ where: { id }, data: { note: operation } });
        await tx.account.delete({ where: { id } });
      });
      return 2;
    },
  ];

  const rollBack = async (operation: string): Promise<void> => {
    const id = pick();
    await client
      .$transaction(async (tx) => {
        await tx.account.update({ where: { id }, data: { balance: { increment: 1_000 }, note: operation } });
        await tx.account.create({ data: { id: operation, balance: 0, note: operation } });
        throw new Unwanted();
      })
      .catch((error: unknown) => {
        if (!(error instanceof Unwanted)) throw error;
      });
  };

  for (let n = 0; !isOver(); n += 1) {
    const operation = `${name}.${n}`;
    try {
      const choice = random();
      if (choice < 0.3) {
        const { id, where } = await audit.record({ action: 'auth.login', details: { operation } });
        if (where === 'store' || where === 'spool') tell({ kind: 'recorded', id, where });
      } else if (choice < 0.4) {
        await rollBack(operation);
        tell({ kind: 'undone', operation });
      } else {
        const run = operations[Math.floor(random() * operations.length)];
        tell({ kind: 'done', operation, rows: (await run?.(operation)) ?? 0 });
      }
    } catch (error) {
      tell({ kind: 'failed', code: codeOf(error) });
      // Where the database is away, asking it as fast as one can proves nothing.
      await pause(20);
    }
  }
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
