import { AuditError, registerTransactionCarrier, tryGetContext } from '@indelible/core';
import { read } from './reach-sequelize.js';
import { tryGetSteered } from './steered-connections.js';

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
      const ambient = tryGetContext();
      const ids = await steered?.together(async () => steered.open?.join(inputs, ambient));
      if (ids !== undefined) return ids;
      throw new AuditError(
        'AUDIT_TRANSACTION_UNKNOWN',
        'sequelize',
        'this transaction is not open on an audited instance',
      );
    },
  });
}
