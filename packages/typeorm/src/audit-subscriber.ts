import {
  type BeforeQueryEvent,
  type EntitySubscriberInterface,
  EventSubscriber,
  type TransactionStartEvent,
} from 'typeorm';
import { auditRunner } from './audit-data-source.js';

/**
 * Audits the data source that it is listed in: `subscribers: [AuditSubscriber]`. It only switches on what `auditDataSource`
 * does, with the first statement: rows are recorded where the statements pass, not by the events of entities.
 */
export class AuditSubscriber implements EntitySubscriberInterface {
  beforeTransactionStart({ dataSource, queryRunner }: TransactionStartEvent): void {
    auditRunner(dataSource, queryRunner);
  }

  beforeQuery({ dataSource, queryRunner, query, parameters }: BeforeQueryEvent): void {
    auditRunner(dataSource, queryRunner, { query, parameters });
  }
}

EventSubscriber()(AuditSubscriber);
