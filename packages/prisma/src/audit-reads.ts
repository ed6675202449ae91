import { type CaptureDialect, RawReads, ReadCollector } from '@indelible/capture';
import { type Audit, getAudit } from '@indelible/core';
import { reachDataModel } from './private-reach.js';
import {
  aroundRequests,
  type ClientRequest,
  type NeededFields,
  reachGlobalOmit,
  reachSchema,
} from './reach-requests.js';
import { createReadModels, type ReadModel, tablesOf } from './read-model.js';
import { type FoundRows, planRead, readAt, type Selecting, takeRows } from './read-plan.js';

/** What hands rows of its model to the caller. True: they were there before. */
const SHOWS: ReadonlyMap<string, boolean> = new Map([
  ['findUnique', true],
  ['findUniqueOrThrow', true],
  ['findFirst', true],
  ['findFirstOrThrow', true],
  ['findMany', true],
  ['update', true],
  ['updateManyAndReturn', true],
  ['upsert', true],
  // What these give back is all on record with the row that came or went.
  ['create', false],
  ['createManyAndReturn', false],
  ['delete', false],
]);

/**
 * Records who is shown rows of these models. At the requests of the client: the engine merges parallel ones into one
 * statement, which is one caller's.
 *
 * @throws TypeError for a model that the schema does not have
 * @throws AuditError `AUDIT_ORM_UNSUPPORTED`
 */
export function auditReads(
  client: object,
  reads: readonly string[],
  audit: Audit | undefined,
  dialect: CaptureDialect,
): void {
  const models = createReadModels(reachDataModel(client), reachSchema(client));
  const unknown = reads.find((name) => !models.has(name));
  if (unknown !== undefined) {
    throw new TypeError(
      `[indelible/prisma] option "reads": the schema has no model ${JSON.stringify(unknown)}`,
    );
  }
  const collector = new ReadCollector(reads, audit === undefined ? getAudit : () => audit);
  const tables = tablesOf([...models.values()].filter(({ name }) => collector.covers(name)));
  const raw = new RawReads(collector, dialect, () => tables);
  const globalOmit = (model: string) => reachGlobalOmit(client, model);
  const covers = (model: string) => collector.covers(model);
  aroundRequests(client, async (request, send, neededFor) => {
    const model = models.get(request.model ?? '');
    if (model === undefined) return readRaw(request, send, raw);
    if (!SHOWS.has(request.action)) return readValues(request, model, send, collector);
    return readRows(request, model, send, { models, covers, globalOmit, neededFor }, collector);
  });
}

async function readRows(
  request: ClientRequest,
  model: ReadModel,
  send: (args: unknown) => Promise<unknown>,
  selecting: Selecting & { readonly neededFor: NeededFields },
  collector: ReadCollector,
): Promise<unknown> {
  const isTold = SHOWS.get(request.action) === true && request.dataPath.length === 0;
  const plan = planRead(model, request.args, selecting, isTold);
  const read = readAt(plan.read, request.dataPath);
  let answer: unknown;
  try {
    answer = await send(plan.args);
  } catch (error) {
    // Prisma shows the caller what it was asked for: that has to be the caller's own.
    if (plan.args === request.args || !isValidation(error)) throw error;
    return send(request.args);
  }
  if (read === undefined) return answer;
  const found = new Map<string, FoundRows>();
  takeRows(read, answer, found);
  for (const { model: of, ids, unknown } of found.values()) {
    await collector.note({ model: of.name, key: of.key, ids, unknown });
  }
  return answer;
}

/** Aggregates show values and no rows. */
async function readValues(
  request: ClientRequest,
  model: ReadModel,
  send: (args: unknown) => Promise<unknown>,
  collector: ReadCollector,
): Promise<unknown> {
  const answer = await send(request.args);
  if (!collector.covers(model.name)) return answer;
  const unknown = shownValues(request, answer);
  await collector.note({ model: model.name, key: model.key, ids: [], unknown });
  return answer;
}

/** How many rows an answer shows values of, at least. A count, a sum and an average show none of any row. */
function shownValues({ action, args }: ClientRequest, answer: unknown): number {
  if (action === 'groupBy') return Array.isArray(answer) ? answer.length : 0;
  if (action !== 'aggregate' || typeof args !== 'object' || args === null) return 0;
  return '_min' in args || '_max' in args ? 1 : 0;
}

async function readRaw(
  request: ClientRequest,
  send: (args: unknown) => Promise<unknown>,
  raw: RawReads,
): Promise<unknown> {
  const answer = await send(request.args);
  if (request.sql !== undefined && Array.isArray(answer) && answer.length > 0) await raw.note(request.sql);
  return answer;
}

function isValidation(error: unknown): boolean {
  return error instanceof Error && error.name === 'PrismaClientValidationError';
}
