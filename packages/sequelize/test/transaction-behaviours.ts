import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { withOracle } from '@indelible/capture/conformance';
import { auditErrorCode } from '@indelible/core';
import { QueryTypes, Sequelize } from 'sequelize';
import { auditSequelize } from '../src/index.js';
import { actions, type BehaviourCase } from './behaviour-cases.js';

class Undo extends Error {}

/** Sequelize's transactions, and what becomes of a write that can not be recorded. */
export const transactionBehaviours: readonly BehaviourCase[] = [
  [
    'an unmanaged transaction is followed to its commit and to its rollback',
    async (harness) => {
      const { Tag } = harness.models;
      const events = await withOracle(harness, async () => {
        const kept = await harness.sequelize.transaction();
        await Tag.create({ code: 'kept', label: 'x' }, { transaction: kept });
        await Tag.update({ label: 'y' }, { where: { code: 'kept' }, transaction: kept });
        await kept.commit();
        const gone = await harness.sequelize.transaction();
        await Tag.create({ code: 'gone', label: 'x' }, { transaction: gone });
        await gone.rollback();
      });
      assert.deepEqual(actions(events), ['tag.created', 'tag.updated']);
      assert.equal(events[0]?.context.transactionId, events[1]?.context.transactionId);
    },
  ],
  [
    'an isolation level that is asked for is that of the transaction',
    async (harness) => {
      const { Tag } = harness.models;
      const show = async (): Promise<unknown> =>
        harness.sequelize.transaction({ isolationLevel: 'SERIALIZABLE' as never }, async (transaction) => {
          await Tag.create({ code: String(Math.random()), label: 'x' }, { transaction });
          const isMysql = harness.sequelize.getDialect() !== 'postgres';
          const sql = isMysql
            ? 'SELECT trx_isolation_level AS level FROM information_schema.innodb_trx WHERE trx_mysql_thread_id = CONNECTION_ID()'
            : "SELECT upper(current_setting('transaction_isolation')) AS level";
          const [row] = await harness.sequelize.query(sql, { type: QueryTypes.SELECT, transaction });
          return Object(row).level;
        });
      assert.deepEqual([await show(), await show()], ['SERIALIZABLE', 'SERIALIZABLE']);
      assert.equal((await harness.events()).length, 2);
    },
  ],
  [
    'useCLS with AsyncLocalStorage puts writes into the transaction around them',
    async (harness) => {
      const { Tag } = harness.models;
      const storage = new AsyncLocalStorage<Map<string, unknown>>();
      Sequelize.useCLS({
        run: (work: (context: unknown) => void) => storage.run(new Map(), () => work(storage.getStore())),
        bind: (work: unknown) => work,
        get: (name: string) => storage.getStore()?.get(name),
        set: (name: string, value: unknown) => storage.getStore()?.set(name, value),
      } as never);
      try {
        const events = await withOracle(harness, async () => {
          await harness.sequelize.transaction(async () => {
            await Tag.create({ code: 'kept', label: 'x' });
            await Promise.all(['a', 'b'].map((code) => Tag.create({ code, label: 'x' })));
          });
          await assert.rejects(
            harness.sequelize.transaction(async () => {
              await Tag.create({ code: 'gone', label: 'x' });
              throw new Undo('undo');
            }),
            Undo,
          );
        });
        assert.deepEqual(actions(events), ['tag.created', 'tag.created', 'tag.created']);
        assert.equal(new Set(events.map(({ context }) => context.transactionId)).size, 1);
      } finally {
        Reflect.deleteProperty(Sequelize, '_cls');
      }
    },
  ],
  [
    'an event of the application is refused in a transaction that is finished',
    async (harness) => {
      const transaction = await harness.sequelize.transaction();
      await transaction.commit();
      await assert.rejects(
        harness.audit.record({ action: 'invoice.exported' }, { tx: transaction }),
        (error) => auditErrorCode(error) === 'AUDIT_TRANSACTION_UNKNOWN',
      );
    },
  ],
  [
    'an event of the application in a nested transaction goes with its savepoint',
    async (harness) => {
      await harness.sequelize.transaction(async (outer) => {
        await harness.audit.record({ action: 'invoice.exported' }, { tx: outer });
        const inner = await harness.sequelize.transaction({ transaction: outer });
        await harness.audit.record({ action: 'invoice.cancelled' }, { tx: inner });
        await inner.rollback();
      });
      assert.deepEqual(actions(await harness.events()), ['invoice.exported']);
    },
  ],
  [
    'the error of a write whose event can not be stored has its code, and the connection goes on',
    async (harness) => {
      const { Tag } = harness.models;
      await harness.dropAuditTables();
      for (const write of [
        () => Tag.create({ code: 'x', label: 'x' }),
        () =>
          harness.sequelize.transaction(async (transaction) => {
            await Tag.create({ code: 'x', label: 'x' }, { transaction });
          }),
      ]) {
        await assert.rejects(
          write(),
          (error) => auditErrorCode(Object(error).parent) === 'AUDIT_TABLES_MISSING',
        );
      }
      assert.equal(await Tag.count(), 0);
    },
  ],
  [
    'an instance is audited once, and only before it has connected',
    async (harness) => {
      assert.throws(() => auditSequelize(harness.sequelize), TypeError);
      const plain = new Sequelize(harness.url, { logging: false });
      await plain.authenticate();
      assert.throws(
        () => auditSequelize(plain, { audit: harness.audit }),
        (error) => auditErrorCode(error) === 'AUDIT_ORM_UNSUPPORTED',
      );
      await plain.close();
    },
  ],
];
