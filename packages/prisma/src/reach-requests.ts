import { AuditError } from '@indelible/core';

/** What a client is about to ask its engine for: the arguments behind all query extensions, unchecked. */
export interface ClientRequest {
  readonly args?: unknown;
  /** `findMany`, `queryRaw`. */
  readonly action: string;
  /** Undefined for raw SQL. */
  readonly model: string | undefined;
  /** Where in the answer stands what the caller gets: `['select', 'author']`. */
  readonly dataPath: readonly string[];
  /** Of raw SQL that gives rows. */
  readonly sql: string | undefined;
}

/** Fields that extensions compute, of the client that a request is made on. */
export type NeededFields = (model: string, isSelected: (field: string) => boolean) => readonly string[];

type Send = (args: unknown) => Promise<unknown>;

/**
 * Has each request of a client, of those that are extended from it and of its transactions go through `around`. A query
 * extension would see only what is sent through the client that it makes.
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function aroundRequests(
  client: object,
  around: (request: ClientRequest, send: Send, needed: NeededFields) => Promise<unknown>,
): void {
  const original = read(client, '_originalClient');
  const execute = read(original, '_executeRequest');
  if (typeof original !== 'object' || original === null || typeof execute !== 'function') {
    throw unsupported('the requests of this client can not be found');
  }
  Reflect.set(original, '_executeRequest', async function (this: unknown, params: object): Promise<unknown> {
    const send: Send = async (args) => Reflect.apply(execute, this, [{ ...params, args }]) as unknown;
    const { action, model, dataPath } = params as Readonly<Record<string, unknown>>;
    if (typeof action !== 'string') throw unsupported('a request of this client names no action');
    const request: ClientRequest = {
      args: read(params, 'args'),
      action,
      model: typeof model === 'string' ? model : undefined,
      dataPath: Array.isArray(dataPath) ? dataPath.map(String) : [],
      sql: action === 'queryRaw' ? rawSql(params) : undefined,
    };
    return around(request, send, neededBy(this));
  });
}

/** The text of the Prisma schema that a client was generated from. @throws AuditError `AUDIT_ORM_UNSUPPORTED` */
export function reachSchema(client: object): string {
  const schema = read(read(client, '_engineConfig'), 'inlineSchema');
  if (typeof schema === 'string') return schema;
  throw unsupported('the schema of this client can not be found');
}

/** What `new PrismaClient({ omit })` leaves out, by model. */
export function reachGlobalOmit(client: object, model: string): Readonly<Record<string, unknown>> {
  const omit = read(
    read(client, '_globalOmit'),
    model.replace(/^./, (first) => first.toLowerCase()),
  );
  return typeof omit === 'object' && omit !== null ? { ...omit } : {};
}

/** The SQL of a raw request, as its database is sent it. What is wrong with it the request itself says. */
function rawSql(params: object): string | undefined {
  const mapArgs = read(params, 'argsMapper');
  if (typeof mapArgs !== 'function') throw unsupported('the SQL of a raw request can not be found');
  try {
    const sql = read(Reflect.apply(mapArgs, undefined, [read(params, 'args')]), 'query');
    return typeof sql === 'string' ? sql : undefined;
  } catch {
    return undefined;
  }
}

function neededBy(client: unknown): NeededFields {
  const extensions = read(client, '_extensions');
  const getAll = read(extensions, 'getAllComputedFields');
  if (typeof getAll !== 'function') return () => [];
  return (model, isSelected) => {
    const name = model.replace(/^./, (first) => first.toLowerCase());
    const computed: unknown = Reflect.apply(getAll, extensions, [name]);
    if (typeof computed !== 'object' || computed === null) return [];
    return Object.entries(computed).flatMap(([field, { needs }]: [string, { needs?: unknown }]) =>
      isSelected(field) && Array.isArray(needs) ? needs.map(String) : [],
    );
  };
}

function read(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined;
}

function unsupported(message: string): AuditError {
  return new AuditError('AUDIT_ORM_UNSUPPORTED', 'prisma', message);
}
