import { type JsonObject, type JsonValue, tryGetMarkKind } from '@indelible/core';
import { escapeText, safeJson } from './escape-text.js';
import type { Palette } from './palette.js';
import { asObject, asText } from './parse-body.js';

/** One line a field: `status: "booked" → "cancelled"`. Values longer than `cut` characters end in `…`. */
export function renderChange(change: JsonObject, palette: Palette, cut = Number.POSITIVE_INFINITY): string[] {
  const before = asObject(change.before);
  const after = asObject(change.after);
  const lines = fieldNames(change, before, after).map((field) => {
    const old = side(before, field, cut);
    const now = side(after, field, cut);
    const label = `${escapeText(field)}: `;
    if (before === undefined) return `${label}${palette.green(now)}`;
    if (after === undefined) return `${label}${palette.red(old)}`;
    return `${label}${palette.red(old)} → ${palette.green(now)}`;
  });
  const fidelity = asText(change.fidelity);
  if (fidelity !== undefined && fidelity !== 'exact') {
    lines.push(palette.yellow(`captured ${escapeText(fidelity)}`));
  }
  return lines;
}

function fieldNames(change: JsonObject, before: JsonObject = {}, after: JsonObject = {}): readonly string[] {
  const named = change.fields;
  const fields = Array.isArray(named) ? named.filter((field) => typeof field === 'string') : [];
  return fields.length > 0 ? fields : [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

function side(row: JsonObject | undefined, field: string, cut: number): string {
  if (row === undefined || !Object.hasOwn(row, field)) return '–';
  return renderValue(row[field], cut);
}

/** A value on one line, as JSON; a redacted one as `‹masked›`, which no value of the application looks like. */
export function renderValue(value: JsonValue | undefined, cut = Number.POSITIVE_INFINITY): string {
  const kind = tryGetMarkKind(value);
  if (kind === 'masked' || kind === 'removed') return `‹${kind}›`;
  const text = safeJson(value ?? null);
  return text.length > cut ? `${text.slice(0, cut - 1)}…` : text;
}
