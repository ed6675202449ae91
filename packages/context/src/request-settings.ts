import { type Actor, type Audit, AuditError, getAudit } from '@indelible/core';
import { BODY_LENGTH, type BodyCaptureOptions } from './body-capture.js';
import { type RequestActor, readUser } from './request-actor.js';

/**
 * Which requests are events of their own. `writes`: those that may change something (all but GET, HEAD, OPTIONS, TRACE)
 * and every refused one (401, 403). A function is asked when the response is over; if it throws, the request is recorded.
 */
export type RecordChoice<Req, Res> = 'none' | 'writes' | 'all' | ((req: Req, res: Res) => boolean);

/** The options that framework packages share. */
export interface RequestOptions<Req, Res> {
  /** @default getAudit(), when the first event is recorded */
  readonly audit?: Audit;
  /**
   * Who acts. Asked each time an event is recorded, so authentication may come after the middleware. undefined or null
   * means nobody is signed in: `anonymous`. If it throws or does not answer, core reports it and the event says so.
   * @default req.user, req.auth, req.session.user or req.session.userId
   */
  readonly actor?: (req: Req) => MaybeActor | Promise<MaybeActor>;
  /** Asked each time an event is recorded. @default no tenant */
  readonly tenant?: (req: Req) => string | null | undefined;
  /** @default 'writes' */
  readonly record?: RecordChoice<Req, Res>;
  /** The header that carries the request's id, in and out; false: none is read or sent. @default 'x-request-id' */
  readonly requestIdHeader?: string | false;
  /** Keeps the parsed body in the request's event, redacted and cut. @default false */
  readonly captureBody?: boolean | BodyCaptureOptions;
}

export type MaybeActor = RequestActor | Actor | null | undefined;

/** The options, checked, with their defaults. */
export interface RequestSettings {
  readonly audit: () => Audit;
  readonly actor: (req: object) => unknown;
  readonly tenant: ((req: object) => unknown) | undefined;
  readonly record: RecordChoice<object, object>;
  readonly requestIdHeader: string | undefined;
  /** 0: bodies are not captured. */
  readonly bodyLength: number;
}

const NAMES = ['audit', 'actor', 'tenant', 'record', 'requestIdHeader', 'captureBody'];

/**
 * @param where the package that speaks, for messages
 * @throws TypeError for an option that it does not know or that has the wrong type
 * @throws AuditError `AUDIT_CONFIG_INVALID` for a value that the option can not have
 */
export function requestSettings<Req extends object, Res extends object>(
  where: string,
  options: RequestOptions<Req, Res> = {},
): RequestSettings {
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name)) throw new TypeError(`[indelible/${where}] there is no option \`${name}\``);
  }
  const { audit, actor, tenant, record = 'writes', requestIdHeader = 'x-request-id', captureBody } = options;
  for (const [name, value] of Object.entries({ actor, tenant })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`[indelible/${where}] \`${name}\` is a function of the request`);
    }
  }
  if (typeof record !== 'function' && !['none', 'writes', 'all'].includes(record)) {
    throw invalid(where, "`record` is 'none', 'writes', 'all' or a function");
  }
  if (requestIdHeader !== false && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(requestIdHeader)) {
    throw invalid(where, '`requestIdHeader` is the name of a header, or false');
  }
  return Object.freeze({
    audit: () => audit ?? getAudit(),
    // The framework's own types end here; what comes back is checked where it is read.
    actor: (actor ?? readUser) as (req: object) => unknown,
    tenant: tenant as ((req: object) => unknown) | undefined,
    record: record as RecordChoice<object, object>,
    requestIdHeader: requestIdHeader === false ? undefined : requestIdHeader.toLowerCase(),
    bodyLength: bodyLength(where, captureBody),
  });
}

function bodyLength(where: string, captureBody: boolean | BodyCaptureOptions | undefined): number {
  if (captureBody === undefined || captureBody === false) return 0;
  const length = captureBody === true ? BODY_LENGTH : (captureBody.maxLength ?? BODY_LENGTH);
  if (!Number.isSafeInteger(length) || length < 1)
    throw invalid(where, '`captureBody.maxLength` is a positive integer');
  return length;
}

function invalid(where: string, message: string): AuditError {
  return new AuditError('AUDIT_CONFIG_INVALID', where, message);
}
