import {
  type Actor,
  type AuditEvent,
  type JsonObject,
  type JsonValue,
  tryGetMarkKind,
} from '@indelible/core';
import type { Paint, Style } from './paint.js';
import type { Played } from './play-day.js';
import type { TrailEntry } from './read-trail.js';

/** The terminal that the page is made for. */
export const WIDTH = 100;
const INDENT = 16;
/** Index, time, actor, action, resource; the outcome takes what is left. */
const COLUMNS = [4, 10, 21, 29, 26] as const;

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/;

/**
 * The trail as lines: a heading for each request, beneath it a row for each of its events with its place in the log, and
 * beneath that what changed. A request's own event is sealed when the response is over, often among the next one's.
 */
export function printTrail(
  entries: readonly TrailEntry[],
  played: readonly Played[],
  paint: Paint,
): readonly string[] {
  const scenes = new Map(played.map((scene) => [scene.answer.requestId, scene]));
  return [
    paint('dim', row(['#', 'UTC', 'who', 'what', 'to which'])),
    ...groupByRequest(entries).flatMap(({ requestId, group }) => [
      '',
      heading(scenes.get(requestId ?? null), paint),
      ...group.flatMap(({ index, event }) => [eventRow(index, event, paint), ...changeLines(event, paint)]),
    ]),
  ];
}

interface RequestGroup {
  readonly requestId: string | undefined;
  readonly group: TrailEntry[];
}

/** In the order of their first events. What is outside of any request stays where it is. */
function groupByRequest(entries: readonly TrailEntry[]): readonly RequestGroup[] {
  const groups: RequestGroup[] = [];
  for (const entry of entries) {
    const { requestId } = entry.event.context;
    const open =
      requestId === undefined ? groups.at(-1) : groups.find((group) => group.requestId === requestId);
    if (open !== undefined && open.requestId === requestId) open.group.push(entry);
    else groups.push({ requestId, group: [entry] });
  }
  return groups;
}

function heading(played: Played | undefined, paint: Paint): string {
  if (played === undefined) return paint('bold', 'Outside of any request');
  const { who, story, method, path } = played.scene;
  const request = `${method} ${path} → ${played.answer.status}`;
  const title = cut(`${who.slice(0, 1).toUpperCase()}${who.slice(1)} ${story}`, WIDTH - request.length - 2);
  return `${paint('bold', title)}${' '.repeat(WIDTH - title.length - request.length)}${paint('dim', request)}`;
}

function eventRow(
  index: number,
  { time, actor, action, resource, outcome }: AuditEvent,
  paint: Paint,
): string {
  const which = resource === undefined ? '' : `${resource.type} ${showId(resource.id)}`;
  const shade: Style = outcome === 'success' ? 'dim' : outcome === 'denied' ? 'yellow' : 'red';
  const cells = row([String(index), time.slice(11, 19), nameActor(actor), action, which]);
  return `${cells.padEnd(WIDTH - 8)}${paint(shade, outcome === 'success' ? 'ok' : outcome)}`;
}

function row(cells: readonly string[]): string {
  const padded = cells.map((cell, column) => {
    const width = COLUMNS[column] ?? 0;
    return column === 0 ? `${cell.padStart(width)}  ` : cut(printable(cell), width - 2).padEnd(width);
  });
  return padded.join('').trimEnd();
}

function nameActor({ type, id, email, role }: Actor): string {
  const name = email?.split('@', 1)[0] ?? (type === id ? type : `${type} ${id}`);
  return role === undefined ? name : `${name}, ${role}`;
}

/** A composite key is an object: its values say enough, the names stand beneath. */
function showId(id: string): string {
  return id.startsWith('{') ? [...id.matchAll(/:"?([^",}]*)/g)].map(([, part]) => part).join('/') : id;
}

/** `+` created, `-` deleted, `~` changed, `·` whatever else the event says, `!` where the capture is not exact. */
function changeLines(
  { category, change, context, reason, details }: AuditEvent,
  paint: Paint,
): readonly string[] {
  const lines: string[] = [];
  if (change !== undefined) {
    const { operation, before = {}, after = {}, fields, fidelity } = change;
    if (operation === 'update') {
      const changed = fields ?? [...new Set([...Object.keys(before), ...Object.keys(after)])];
      lines.push(...changed.flatMap((field) => changedField(field, before[field], after[field], paint)));
    } else {
      lines.push(...sideBySide('-', 'red', before, paint), ...sideBySide('+', 'green', after, paint));
    }
    if (fidelity !== 'exact') lines.push(paint('magenta', `! ${fidelity}`));
  }
  const { status, durationMs, ip } = context;
  const answer = category === 'request' ? { status, ms: Math.round(durationMs ?? 0), ip } : {};
  lines.push(...sideBySide('·', 'cyan', { ...answer, reason, ...flatten(details) }, paint));
  return lines.map((line) => ' '.repeat(INDENT) + line);
}

/** From → to. Of objects the members that differ. */
function changedField(
  field: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  paint: Paint,
): readonly string[] {
  if (isPlain(before) && isPlain(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .filter((name) => show(before[name]) !== show(after[name]))
      .flatMap((name) => changedField(`${field}.${name}`, before[name], after[name], paint));
  }
  const name = cut(printable(field), 30);
  const room = WIDTH - INDENT - name.length - 7;
  const from = cut(show(before), Math.max(Math.floor(room / 2), room - show(after).length));
  const to = cut(show(after), room - from.length);
  return [`${paint('yellow', '~')} ${name}  ${paint('red', from)} → ${paint('green', to)}`];
}

/** The members of objects as fields of their own: `body.amount`. */
function flatten(fields: JsonObject = {}): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]): [string, JsonValue][] =>
      isPlain(value)
        ? Object.entries(value).map(([member, content]) => [`${name}.${member}`, content])
        : [[name, value]],
    ),
  );
}

/** The fields one after the other, as many on a line as fit. */
function sideBySide(
  sign: string,
  style: Style,
  fields: Readonly<Record<string, JsonValue | undefined>>,
  paint: Paint,
): readonly string[] {
  const room = WIDTH - INDENT - 2;
  const lines: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const field = cut(`${printable(name)} ${show(value)}`, room);
    const line = lines.at(-1);
    if (line !== undefined && line.length + 3 + field.length <= room)
      lines[lines.length - 1] = `${line} · ${field}`;
    else lines.push(field);
  }
  return lines.map((line, number) => `${number === 0 ? paint(style, sign) : ' '} ${line}`);
}

/** A value on one line. What the log holds in place of a secret is shown as `‹masked›`. */
function show(value: JsonValue | undefined): string {
  if (value === undefined) return '–';
  const mark = tryGetMarkKind(value);
  if (mark !== undefined) return `‹${mark}›`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (isPlain(value)) {
    const members = Object.entries(value).map(([name, member]) => `${printable(name)}: ${show(member)}`);
    return `{${members.join(', ')}}`;
  }
  if (typeof value === 'string' && INSTANT.test(value)) return showInstant(value);
  return printable(JSON.stringify(value));
}

/** Without the zeros: a date, or a minute, where it is no more than that. */
function showInstant(text: string): string {
  return text.replace('T', ' ').replace(/ 00:00:00\.000Z$|:00\.000Z$|Z$/, '');
}

function isPlain(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    tryGetMarkKind(value) === undefined
  );
}

/** Text from outside must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
