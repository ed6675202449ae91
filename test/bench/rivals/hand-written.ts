import type { Client, Contender, RowRecord } from './contender.js';
import { createClient, currentActor } from './plain.js';
import { isRow, keyOf } from './row-trigger.js';

type Row = Readonly<Record<string, unknown>>;

/** What of a model the extension uses. */
interface Delegate {
  findUnique(args: { where: unknown }): Promise<Row | null>;
}

const ONE_ROW = new Set(['update', 'delete', 'upsert']);
const WRITES = new Set([...ONE_ROW, 'create', 'createMany', 'updateMany', 'deleteMany']);
const OPERATIONS = { create: 'create', update: 'update', delete: 'delete' } as const;

interface Write {
  readonly model: string;
  readonly operation: string;
  readonly args: Row;
}

/**
 * The extension that most applications write for themselves: find before, write, create a row of the log. Either without waiting
 * for that row, or all three in a transaction of its own.
 */
export function createHandWritten(way: 'fire-and-forget' | 'transaction'): Contender {
  return {
    name:
      way === 'transaction' ? 'extension by hand, in a transaction' : 'extension by hand, fire-and-forget',
    prepare: async () => {},
    open: async (url, options) => {
      const base = createClient(url, options);
      const open = new Set<Promise<unknown>>();
      const extended = base.$extends({
        query: {
          $allModels: {
            async $allOperations({ model, operation, args, query }) {
              if (model === 'HandLog' || !WRITES.has(operation)) return query(args);
              const write: Write = { model, operation, args: isRow(args) ? args : {} };
              if (way === 'transaction') {
                return base.$transaction(async (tx) => {
                  const before = await find(tx, write);
                  const result: unknown = await operationOf(tx, write)(args);
                  await tx.handLog.create({ data: logOf(write, before, result) });
                  return result;
                });
              }
              const before = await find(base, write);
              const result: unknown = await query(args);
              const written = base.handLog
                .create({ data: logOf(write, before, result) })
                .catch(() => undefined)
                .finally(() => open.delete(written));
              open.add(written);
              return result;
            },
          },
        },
      });
      return {
        // Extending a client widens its type, and nothing of that is used.
        client: extended as unknown as Client,
        settle: async () => void (await Promise.all(open)),
        close: () => base.$disconnect(),
      };
    },
    records: { sql: 'SELECT * FROM "HandLog" ORDER BY id', read: readRow },
    table: '"HandLog"',
  };
}

async function find(client: object, { model, operation, args }: Write): Promise<Row | null> {
  if (!ONE_ROW.has(operation)) return null;
  const delegate: Delegate = Reflect.get(client, delegateName(model));
  return delegate.findUnique({ where: args.where });
}

function operationOf(client: object, { model, operation }: Write): (args: unknown) => Promise<unknown> {
  const delegate: object = Reflect.get(client, delegateName(model));
  return (args) => Reflect.apply(Reflect.get(delegate, operation), delegate, [args]);
}

function delegateName(model: string): string {
  return `${model.slice(0, 1).toLowerCase()}${model.slice(1)}`;
}

function logOf({ model, operation, args }: Write, before: Row | null, result: unknown) {
  const isBulk = operation.endsWith('Many');
  const action =
    operation === 'upsert' ? (before === null ? 'create' : 'update') : operation.replace('Many', '');
  const after = isBulk ? { ...args, result } : action === 'delete' ? null : result;
  const row = isRow(after) && !isBulk ? after : before;
  return {
    actor: currentActor.getStore() ?? 'unknown',
    action,
    model,
    rowId: isBulk || row === null ? null : keyOf(model, row),
    ...(before === null ? {} : { before: toJson(before) }),
    ...(after === null ? {} : { after: toJson(after) }),
  };
}

function toJson(value: unknown) {
  return JSON.parse(JSON.stringify(value));
}

function readRow({ action, model, rowId, before, after, actor }: Row): readonly RowRecord[] {
  const operation =
    action === 'create' || action === 'update' || action === 'delete' ? OPERATIONS[action] : undefined;
  if (operation === undefined || typeof rowId !== 'string') return [];
  return [
    {
      model: String(model),
      id: rowId,
      operation,
      ...(isRow(before) ? { before } : {}),
      ...(isRow(after) ? { after } : {}),
      actor: typeof actor === 'string' ? actor : null,
    },
  ];
}
