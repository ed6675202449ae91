import { readProperty as read, tryGetSteered } from '@indelible/capture';
import { AuditError, registerTransactionCarrier, tryGetContext } from '@indelible/core';

let registered = false;

/** Makes `audit.record(…, { tx })` take transactions of Sequelize. */
export function registerSequelizeTransactions(): void {
  if (registered) return;
  registered = true;
  registerTransactionCarrier({
    carries: (tx) =>
      typeof read(tx, 'prepareEnvironment') === 'function' && read(tx, 'sequelize') !== undefined,
    record: async (tx, inputs) => {
      // One that is finished has given its connection back, and somebody else's transaction may be open on it.
      const isOver = read(tx, 'finished') !== undefined;
      const steered = isOver ? undefined : tryGetSteered(read(tx, 'connection'));
      const ids = await steered?.join(inputs, tryGetContext());
      if (ids !== undefined) return ids;
      throw new AuditError(
        'AUDIT_TRANSACTION_UNKNOWN',
        'sequelize',
        'this transaction is not open on an audited instance',
      );
    },
  });
}
