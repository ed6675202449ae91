import type { JsonObject, JsonValue, ListedEvent } from '@indelible/core';
import { escapeText } from './escape-text.js';
import { isoMicroseconds } from './event-place.js';
import { getPalette } from './palette.js';
import { asObject, asText, tryParseBody } from './parse-body.js';
import { renderChange, renderValue } from './render-change.js';
import { type Cell, renderTable } from './render-table.js';
import { renderActor, renderResource } from './render-trail.js';

/** One event in full: what the log says of it, then every field of its body, then its change. */
export function renderEvent(event: ListedEvent, options: { colour?: boolean } = {}): string {
  const palette = getPalette(options.colour ?? false);
  const rows: Cell[][] = [];
  const row = (name: string, text: string | undefined) => {
    if (text !== undefined) rows.push([{ text: name, paint: palette.dim }, { text }]);
  };
  const body = tryParseBody(event.body);

  row('id', escapeText(event.id));
  row('log', escapeText(event.log));
  row('index', event.index === null ? palette.yellow('pending') : String(event.index));
  if (event.sealedAt !== null) row('sealed', isoMicroseconds(event.sealedAt));
  row('leaf', Buffer.from(event.leaf).toString('hex'));
  if (body === undefined) {
    row('body', palette.red(`unreadable, ${event.body.length} bytes`));
    return renderTable(rows).join('\n');
  }

  for (const name of ['time', 'action', 'category', 'outcome', 'reason']) row(name, line(body[name]));
  row('actor', actorLine(asObject(body.actor)));
  if (body.resource !== undefined) row('resource', renderResource(asObject(body.resource)));
  for (const [name, value] of Object.entries(asObject(body.context) ?? {}))
    row(escapeText(name), line(value));
  for (const [name, value] of Object.entries(asObject(body.details) ?? {})) {
    row(`details.${escapeText(name)}`, renderValue(value));
  }
  if (body.tags !== undefined) row('tags', renderValue(body.tags));

  const lines = renderTable(rows);
  const change = asObject(body.change);
  if (change !== undefined) {
    lines.push('', palette.bold(`change: ${escapeText(asText(change.operation) ?? '?')}`));
    lines.push(...renderChange(change, palette).map((text) => `  ${text}`));
  }
  return lines.join('\n');
}

/** Text as it is, anything else as JSON. */
function line(value: JsonValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? escapeText(value) : renderValue(value);
}

function actorLine(actor: JsonObject | undefined): string {
  const extra = ['email', 'role'].map((name) => asText(actor?.[name])).filter((text) => text !== undefined);
  return `${renderActor(actor)}${extra.length === 0 ? '' : ` (${escapeText(extra.join(', '))})`}`;
}
