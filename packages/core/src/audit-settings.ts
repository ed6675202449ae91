import type { Anchor } from './anchor.js';
import type { AuditOptions, FailurePolicy } from './audit.js';
import { AuditError } from './audit-error.js';
import { type Catalogue, defineActions } from './catalogue.js';
import { CATEGORIES, type Category } from './event.js';
import { MIN_EVENT_BYTES } from './event-limits.js';
import { DEFAULT_POLICIES, FAILURE_POLICIES } from './failure-policy.js';
import type { KeyedFrom } from './keyed-from.js';
import { type AuditKeys, deriveKeys } from './keys.js';
import { createSigner, type NoteSigner } from './note-signer.js';
import type { PrepareSettings } from './prepare-event.js';
import { createRedactor } from './redactor.js';
import type { AuditStore } from './store.js';

/** The options of an audit, checked, with the defaults and the environment filled in. */
export interface AuditSettings {
  /** Undefined: the first audited ORM's database, else `file:./audit.db`. */
  readonly store: AuditStore | string | undefined;
  readonly keys: AuditKeys | undefined;
  /** Undefined where it is not configured: then a log that never had a key needs none. */
  readonly keyedFrom: KeyedFrom | undefined;
  readonly origin: string;
  readonly policies: Readonly<Record<Category, FailurePolicy>>;
  readonly spoolDirectory: string;
  readonly spoolMaxBytes: number;
  readonly spoolMaxEvents: number;
  readonly maxBuffered: number;
  readonly storeTimeoutMs: number;
  readonly sealing: 'own' | 'external';
  /** False where another process seals, too. */
  readonly sealAfterMs: number | false;
  /** Null: none are made. */
  readonly checkpoints: {
    readonly signer: NoteSigner;
    readonly everyMs: number;
    readonly anchors: readonly Anchor[];
  } | null;
  readonly maxLogs: number;
  readonly relay: 'own' | 'external' | false;
  readonly drainTimeoutMs: number;
  readonly lifecycleEvents: boolean;
  readonly onError: ((error: Error) => void) | undefined;
  readonly prepare: PrepareSettings;
}

const KNOWN = new Set([
  'store',
  'hmacKey',
  'keyedFrom',
  'origin',
  'redaction',
  'policy',
  'spool',
  'maxBuffered',
  'storeTimeoutMs',
  'sealing',
  'sealAfterMs',
  'checkpoints',
  'maxLogs',
  'relay',
  'drainTimeoutMs',
  'maxEventBytes',
  'maxBinaryBytes',
  'onMissingActor',
  'onError',
  'lifecycleEvents',
  'actions',
]);

const SPOOL_KNOWN = new Set(['directory', 'maxBytes', 'maxEvents']);

/** @throws AuditError `AUDIT_CONFIG_INVALID` that names the option, `AUDIT_KEY_WEAK`, `AUDIT_KEY_MISSING` */
export function readAuditSettings(options: AuditOptions, environment: NodeJS.ProcessEnv): AuditSettings {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid('options', 'take an object');
  }
  for (const name of Object.keys(options)) if (!KNOWN.has(name)) throw invalid(name, 'is not known');
  const origin = options.origin ?? 'audit';
  if (
    typeof origin !== 'string' ||
    !/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/.test(origin) ||
    origin.length > 200
  ) {
    throw invalid('origin', 'takes letters, digits, `.`, `-`, `_`, `/`');
  }
  const keys = readKeys(options, environment);
  const spool = options.spool ?? {};
  if (typeof spool !== 'object' || spool === null) throw invalid('spool', 'takes an object');
  for (const name of Object.keys(spool)) {
    if (!SPOOL_KNOWN.has(name)) throw invalid(`spool.${name}`, 'is not known');
  }
  const directory = spool.directory ?? './.indelible/spool';
  if (typeof directory !== 'string' || directory === '') throw invalid('spool.directory', 'takes a path');
  const sealing = options.sealing ?? 'own';
  if (sealing !== 'own' && sealing !== 'external') throw invalid('sealing', 'takes `own` or `external`');
  const relay = options.relay ?? false;
  if (relay !== false && relay !== 'own' && relay !== 'external') {
    throw invalid('relay', 'takes `own`, `external` or false');
  }
  const onMissingActor = options.onMissingActor ?? 'system';
  if (onMissingActor !== 'system' && onMissingActor !== 'throw') {
    throw invalid('onMissingActor', 'takes `system` or `throw`');
  }
  if (options.onError !== undefined && typeof options.onError !== 'function') {
    throw invalid('onError', 'takes a function');
  }
  const lifecycleEvents = options.lifecycleEvents ?? true;
  if (typeof lifecycleEvents !== 'boolean') throw invalid('lifecycleEvents', 'takes true or false');
  const integer = (name: keyof AuditOptions, least: number, otherwise: number) =>
    readInteger(name, options[name] ?? otherwise, least);
  return Object.freeze({
    store: readStore(options, environment),
    keys,
    keyedFrom: readKeyedFrom(options.keyedFrom),
    origin,
    policies: readPolicies(options.policy),
    spoolDirectory: directory,
    spoolMaxBytes: readInteger('spool.maxBytes', spool.maxBytes ?? 64 * 1024 * 1024, 0),
    spoolMaxEvents: readInteger('spool.maxEvents', spool.maxEvents ?? 1_000_000, 0),
    maxBuffered: integer('maxBuffered', 1, 10_000),
    storeTimeoutMs: integer('storeTimeoutMs', 1, 2_000),
    sealing,
    sealAfterMs: readSealAfter(options, sealing),
    checkpoints: readCheckpoints(options, sealing, environment),
    relay,
    maxLogs: integer('maxLogs', 0, 10_000),
    drainTimeoutMs: integer('drainTimeoutMs', 0, 30_000),
    lifecycleEvents,
    onError: options.onError,
    prepare: Object.freeze({
      origin,
      redactor: createRedactor(options.redaction, keys?.pseudonym),
      maxEventBytes: integer('maxEventBytes', MIN_EVENT_BYTES, 65_536),
      maxBinaryBytes: integer('maxBinaryBytes', 0, 1_024),
      onMissingActor,
      catalogue: readCatalogue(options.actions),
    }),
  });
}

function readSealAfter(options: AuditOptions, sealing: 'own' | 'external'): number | false {
  const { sealAfterMs } = options;
  if (sealing === 'own')
    return sealAfterMs === false ? false : readInteger('sealAfterMs', sealAfterMs ?? 50, 0);
  if (sealAfterMs === undefined || sealAfterMs === false) return false;
  throw invalid('sealAfterMs', 'has no meaning where another process seals (`sealing: external`)');
}

function readCheckpoints(
  { checkpoints, sealAfterMs }: AuditOptions,
  sealing: 'own' | 'external',
  environment: NodeJS.ProcessEnv,
): AuditSettings['checkpoints'] {
  if (checkpoints === undefined) return null;
  if (typeof checkpoints !== 'object' || checkpoints === null)
    throw invalid('checkpoints', 'takes an object');
  for (const name of Object.keys(checkpoints)) {
    if (!['signer', 'everyMs', 'anchors'].includes(name))
      throw invalid(`checkpoints.${name}`, 'is not known');
  }
  if (sealing === 'external' || sealAfterMs === false) {
    throw invalid('checkpoints', 'has no meaning in a process that does not seal');
  }
  const signer = checkpoints.signer ?? (environment.AUDIT_SIGNING_KEY || undefined);
  if (signer === undefined) throw invalid('checkpoints.signer', 'or AUDIT_SIGNING_KEY has to name a key');
  return Object.freeze({
    signer: createSigner(signer),
    everyMs: readInteger('checkpoints.everyMs', checkpoints.everyMs ?? 60_000, 100),
    anchors: readAnchors(checkpoints.anchors ?? []),
  });
}

function readAnchors(anchors: readonly Anchor[]): readonly Anchor[] {
  const isAnchor = (anchor: Anchor) => typeof anchor?.put === 'function' && typeof anchor.name === 'string';
  if (Array.isArray(anchors) && anchors.every(isAnchor)) return Object.freeze([...anchors]);
  throw invalid('checkpoints.anchors', 'takes anchors, each with a `name` and a function `put`');
}

function readStore(options: AuditOptions, environment: NodeJS.ProcessEnv): AuditStore | string | undefined {
  const { store } = options;
  if (store === undefined) return environment.AUDIT_DATABASE_URL || undefined;
  if (typeof store === 'string' && store !== '') return store;
  if (typeof store === 'object' && store !== null && typeof store.append === 'function') return store;
  throw invalid('store', 'takes a store or a URL such as `file:./audit.db`');
}

function readKeys(options: AuditOptions, environment: NodeJS.ProcessEnv): AuditKeys | undefined {
  const secret = options.hmacKey ?? (environment.AUDIT_HMAC_KEY || undefined);
  if (secret === undefined) return undefined;
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw invalid('hmacKey', 'takes text or bytes');
  }
  return deriveKeys(secret);
}

function readKeyedFrom(keyedFrom: AuditOptions['keyedFrom']): KeyedFrom | undefined {
  if (keyedFrom === undefined) return undefined;
  if (typeof keyedFrom !== 'object' || keyedFrom === null) return readInteger('keyedFrom', keyedFrom, 0);
  if (Array.isArray(keyedFrom)) throw invalid('keyedFrom', 'takes a number, or numbers by the names of logs');
  for (const [log, from] of Object.entries(keyedFrom)) readInteger(`keyedFrom.${log}`, from, 0);
  return Object.freeze({ ...keyedFrom });
}

function readPolicies(policy: AuditOptions['policy']): AuditSettings['policies'] {
  if (policy === undefined) return DEFAULT_POLICIES;
  if (typeof policy !== 'object' || policy === null) throw invalid('policy', 'takes an object');
  const known: ReadonlySet<string> = new Set(CATEGORIES);
  for (const [category, value] of Object.entries(policy)) {
    if (!known.has(category)) throw invalid(`policy.${category}`, 'is no category');
    if (value !== undefined && !FAILURE_POLICIES.includes(value)) {
      throw invalid(`policy.${category}`, `takes ${FAILURE_POLICIES.join(', ')}`);
    }
  }
  const given = Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
  return Object.freeze({ ...DEFAULT_POLICIES, ...given });
}

function readCatalogue(actions: Catalogue | undefined): Catalogue {
  if (actions === undefined) return defineActions({});
  if (typeof actions?.tryGet !== 'function' || typeof actions.closed !== 'boolean') {
    throw invalid('actions', 'takes what `defineActions()` returns');
  }
  return actions;
}

function readInteger(name: string, value: unknown, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw invalid(name, `takes a whole number from ${least} up`);
  }
  return value;
}

function invalid(name: string, what: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', 'core', `the option \`${name}\` ${what}`);
}
