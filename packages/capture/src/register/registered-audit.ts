import { type Audit, createAudit, createStandIn, type StoreOffer, tryGetAudit } from '@indelible/core';

/** What a preload module is told by environment variables. */
export interface RegisterSettings {
  /** `AUDIT_READS`: models, with commas in between. */
  readonly reads: readonly string[];
  /** `AUDIT_MIGRATE`: the audit tables are made where they are missing. */
  readonly migrate: boolean;
}

/** The audit of one database that the application opens without knowing of it. */
export interface RegisteredAudit {
  readonly audit: Audit;
  /** Makes the tables, where `AUDIT_MIGRATE` says so. A failure is reported: the first write says the rest. */
  prepare(): Promise<void>;
  /** Drains. What is recorded later, after the application has opened its database again, is recorded anew. */
  release(): Promise<void>;
}

/** @throws TypeError for a variable that is set to what it does not take */
export function readRegisterSettings(env: NodeJS.ProcessEnv): RegisterSettings {
  const { AUDIT_READS: reads = '', AUDIT_MIGRATE: migrate = '' } = env;
  if (!['', '0', '1', 'false', 'true'].includes(migrate)) {
    throw new TypeError(`AUDIT_MIGRATE takes 1 or 0, not ${JSON.stringify(migrate)}`);
  }
  return {
    reads: reads
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    migrate: migrate === '1' || migrate === 'true',
  };
}

/**
 * The default audit where the application has configured one; else one of its own for each database, because a process that
 * opens several has a log in each.
 */
export function createRegisteredAudit({ migrate }: RegisterSettings): RegisteredAudit {
  const configured = tryGetAudit();
  const offers: (StoreOffer | (() => Promise<StoreOffer>))[] = [];
  let own: Audit | undefined;
  const current = (): Audit => {
    if (own === undefined) {
      own = createAudit();
      for (const offer of offers) own.offerStore(offer);
    }
    return own;
  };
  const close = async (): Promise<void> => {
    const closing = own;
    own = undefined;
    await closing?.close();
  };
  const offerStore: Audit['offerStore'] = (offer) => {
    offers.push(offer);
    own?.offerStore(offer);
  };
  const audit = configured ?? createStandIn({ current, close, offerStore });
  return {
    audit,
    prepare: async () => {
      if (!migrate) return;
      try {
        await audit.migrate();
      } catch (error) {
        audit.reportError(error instanceof Error ? error : new Error(String(error)));
      }
    },
    release: () => (configured === undefined ? close() : configured.flush()),
  };
}
