import type { JsonObject, ListedEvent } from '@indelible/core';
import { escapeText } from './escape-text.js';
import { renderPlace } from './event-place.js';
import { getPalette, type Palette } from './palette.js';
import { asObject, asText, tryParseBody } from './parse-body.js';
import { renderChange } from './render-change.js';
import { type Cell, renderTable } from './render-table.js';

export interface RenderTrailOptions {
  /** @default false */
  readonly colour?: boolean;
  /** The line with the names of the columns. @default true */
  readonly headings?: boolean;
  /** Shows what each change altered, one field a line below its event. @default true */
  readonly changes?: boolean;
  /** Cuts the values of changes beyond so many characters. @default 60 */
  readonly maxValueLength?: number;
}

/**
 * A list of events as a table with the changes below each: index, time (UTC), action, actor, resource, outcome, and the
 * log where the list has more than one. Text from events is escaped, so that it can not steer the terminal.
 *
 * @returns lines joined by `\n`, without one at the end; empty for no events
 */
export function renderTrail(events: readonly ListedEvent[], options: RenderTrailOptions = {}): string {
  if (events.length === 0) return '';
  const palette = getPalette(options.colour ?? false);
  const bodies = events.map((event) => tryParseBody(event.body));
  const severalLogs = new Set(events.map((event) => event.log)).size > 1;

  const headings = ['INDEX', 'TIME (UTC)', 'ACTION', 'ACTOR', 'RESOURCE', 'OUTCOME'];
  if (severalLogs) headings.push('LOG');
  const table = renderTable([
    headings.map((text) => ({ text, paint: palette.bold })),
    ...events.map((event, position) => eventCells(event, bodies[position], palette, severalLogs)),
  ]);

  const lines = options.headings === false ? [] : [table[0] ?? ''];
  events.forEach((_, position) => {
    lines.push(table[position + 1] ?? '');
    const change = asObject(bodies[position]?.change);
    if (change === undefined || options.changes === false) return;
    for (const line of renderChange(change, palette, options.maxValueLength ?? 60))
      lines.push(`         ${line}`);
  });
  return lines.join('\n');
}

function eventCells(
  event: ListedEvent,
  body: JsonObject | undefined,
  palette: Palette,
  withLog: boolean,
): Cell[] {
  const place = { text: renderPlace(event), paint: event.index === null ? palette.yellow : palette.dim };
  const log = withLog ? [{ text: escapeText(event.log), paint: palette.dim }] : [];
  if (body === undefined) {
    const unreadable = { text: 'unreadable body', paint: palette.red };
    return [place, { text: '' }, unreadable, { text: '' }, { text: '' }, { text: '' }, ...log];
  }
  return [
    place,
    { text: renderTime(asText(body.time)) },
    { text: escapeText(asText(body.action) ?? '?') },
    { text: renderActor(asObject(body.actor)) },
    { text: renderResource(asObject(body.resource)) },
    outcomeCell(asText(body.outcome) ?? '?', palette),
    ...log,
  ];
}

/** `2026-01-31 09:30:00.123`: UTC, as every time in this output. */
function renderTime(time: string | undefined): string {
  return escapeText((time ?? '?').replace('T', ' ').replace(/Z$/, ''));
}

export function renderActor(actor: JsonObject | undefined): string {
  if (actor === undefined) return '?';
  const self = `${asText(actor.type) ?? '?'}:${asText(actor.id) ?? '?'}`;
  const other = asObject(actor.onBehalfOf);
  return escapeText(self) + (other === undefined ? '' : ` for ${renderActor(other)}`);
}

export function renderResource(resource: JsonObject | undefined): string {
  if (resource === undefined) return '–';
  return escapeText(`${asText(resource.type) ?? '?'} ${asText(resource.id) ?? '?'}`);
}

function outcomeCell(outcome: string, palette: Palette): Cell {
  return { text: escapeText(outcome), paint: outcome === 'success' ? palette.green : palette.red };
}
