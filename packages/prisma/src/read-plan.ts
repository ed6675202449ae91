import { idOfRow } from '@indelible/capture';
import type { ReadModel } from './read-model.js';

type Members = Readonly<Record<string, unknown>>;

/** What a request selects, as the extensions and settings of its client have it. */
export interface Selecting {
  readonly models: ReadonlyMap<string, ReadModel>;
  covers(model: string): boolean;
  /** Fields that are left out of a model's rows unless a request says otherwise. */
  globalOmit(model: string): Members;
  /** Fields that computed fields of this model are made of, where the request selects them. */
  neededFor(model: string, isSelected: (field: string) => boolean): readonly string[];
}

/** The rows of one model at one place of an answer. */
export interface PlannedRead {
  readonly model: ReadModel;
  readonly isTold: boolean;
  /** Fields of the key that the caller has not asked for. */
  readonly added: readonly string[];
  readonly relations: readonly (readonly [field: string, read: PlannedRead])[];
}

export interface Plan {
  /** What to ask the database for: the caller's own object where nothing has to be added. */
  readonly args: unknown;
  readonly read: PlannedRead;
}

/**
 * Plans a request so that its answer has the keys of the rows whose reads are recorded.
 * @param isTold false: the rows of this place are told by what the request changes
 */
export function planRead(model: ReadModel, args: unknown, selecting: Selecting, isTold = true): Plan {
  const given: Members = isPlain(args) ? args : {};
  const told = isTold && selecting.covers(model.name);
  const { select, include, omit } = given;
  if (isPlain(select)) return planSelect(model, args, given, select, told, selecting);
  const { picks, relations } = planRelations(model, isPlain(include) ? include : {}, selecting);
  const omitted = { ...selecting.globalOmit(model.name), ...(isPlain(omit) ? omit : {}) };
  const isSelected = (field: string): boolean => omitted[field] !== true;
  const added = told ? missing(model, isSelected, selecting) : [];
  const shown = Object.fromEntries(added.map((field) => [field, false]));
  const changed = {
    ...given,
    ...(picks === undefined ? {} : { include: picks }),
    ...(added.length === 0 ? {} : { omit: { ...(isPlain(omit) ? omit : {}), ...shown } }),
  };
  const isSame = picks === undefined && added.length === 0;
  return { args: isSame ? args : changed, read: { model, isTold: told, added, relations } };
}

function planSelect(
  model: ReadModel,
  args: unknown,
  given: Members,
  select: Members,
  told: boolean,
  selecting: Selecting,
): Plan {
  const { picks, relations } = planRelations(model, select, selecting);
  const isSelected = (field: string): boolean => select[field] === true;
  // Prisma refuses to select nothing, and must go on to.
  const isEmpty = !Object.values(select).some((value) => value === true || isPlain(value));
  const added = told && !isEmpty ? missing(model, isSelected, selecting) : [];
  const read = { model, isTold: told && !isEmpty, added, relations };
  if (picks === undefined && added.length === 0) return { args, read };
  const keys = Object.fromEntries(added.map((field) => [field, true]));
  return { args: { ...given, select: { ...(picks ?? select), ...keys } }, read };
}

function missing(
  model: ReadModel,
  isSelected: (field: string) => boolean,
  selecting: Selecting,
): readonly string[] {
  const absent = model.key.filter((field) => !isSelected(field));
  if (absent.length === 0) return absent;
  const needed = selecting.neededFor(model.name, isSelected);
  return absent.filter((field) => !needed.includes(field));
}

/** @returns the picks with what had to be added; undefined where nothing had to */
function planRelations(
  model: ReadModel,
  picks: Members,
  selecting: Selecting,
): { picks: Members | undefined; relations: PlannedRead['relations'] } {
  const relations: (readonly [string, PlannedRead])[] = [];
  const changed: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(picks)) {
    const target = selecting.models.get(model.relations.get(field) ?? '');
    if (target === undefined || !(value === true || isPlain(value))) continue;
    const own = value === true ? {} : value;
    const plan = planRead(target, own, selecting);
    if (plan.args !== own) changed[field] = plan.args;
    relations.push([field, plan.read]);
  }
  const isChanged = Object.keys(changed).length > 0;
  return { picks: isChanged ? { ...picks, ...changed } : undefined, relations };
}

/** The rows of a model in an answer. */
export interface FoundRows {
  readonly model: ReadModel;
  readonly ids: string[];
  unknown: number;
}

/** Collects the rows of an answer, and takes out again what was added to it. */
export function takeRows(read: PlannedRead, value: unknown, found: Map<string, FoundRows>): void {
  if (Array.isArray(value)) {
    for (const item of value) takeRows(read, item, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (read.isTold) {
    const { model } = read;
    const rows = found.get(model.name) ?? { model, ids: [], unknown: 0 };
    found.set(model.name, rows);
    const id = idOfRow(model.key, (field) => Reflect.get(value, field));
    if (id === undefined) rows.unknown += 1;
    else rows.ids.push(id);
    for (const field of read.added) Reflect.deleteProperty(value, field);
  }
  for (const [field, inner] of read.relations) takeRows(inner, Reflect.get(value, field), found);
}

/** What stands at the place of an answer that a fluent call asks for: `prisma.post.findUnique(…).author()`. */
export function readAt(read: PlannedRead, path: readonly string[]): PlannedRead | undefined {
  let at: PlannedRead | undefined = read;
  // Each step is `select` or `include`, and a field.
  for (let step = 1; step < path.length && at !== undefined; step += 2) {
    at = at.relations.find(([field]) => field === path[step])?.[1];
  }
  return at;
}

function isPlain(value: unknown): value is Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
