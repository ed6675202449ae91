interface AccountValues {
  readonly id: string;
  readonly balance: number;
  readonly note: string;
}
interface AccountChange {
  readonly balance?: { readonly increment: number };
  readonly note: string;
}

/** What the clients of the three databases have in common, inside a transaction and outside. */
export interface AccountTransaction {
  readonly account: {
    create(args: { data: AccountValues }): PromiseLike<unknown>;
    update(args: { where: { id: string }; data: AccountChange }): PromiseLike<unknown>;
    updateMany(args: {
      where: { id: { in: string[] } };
      data: AccountChange;
    }): PromiseLike<{ count: number }>;
    delete(args: { where: { id: string } }): PromiseLike<unknown>;
  };
  $executeRawUnsafe(sql: string, ...values: unknown[]): PromiseLike<number>;
}

export interface AccountClient extends AccountTransaction {
  $transaction<Result>(run: (tx: AccountTransaction) => Promise<Result>): Promise<Result>;
  $disconnect(): Promise<void>;
}

export type DatabaseKind = 'sqlite' | 'postgres' | 'mysql';

/** How the raw statement of the workload is written. */
export const RAW_UPDATE: Readonly<Record<DatabaseKind, string>> = {
  sqlite: 'UPDATE "Account" SET balance = balance + 1, note = ? WHERE id = ?',
  postgres: 'UPDATE "Account" SET balance = balance + 1, note = $1 WHERE id = $2',
  mysql: 'UPDATE `Account` SET balance = balance + 1, note = ? WHERE id = ?',
};
