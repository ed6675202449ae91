import type { Finding, Verdict } from '@indelible/core';
import { escapeText } from './escape-text.js';
import { getPalette, type Palette } from './palette.js';
import { type Cell, renderTable } from './render-table.js';

export interface RenderVerdictOptions {
  /** @default false */
  readonly colour?: boolean;
  /** Lists at most so many findings. @default 20 */
  readonly maxFindings?: number;
}

/** A verdict for people: the result, what was read, each finding, and what was not checked. */
export function renderVerdict(verdict: Verdict, options: RenderVerdictOptions = {}): string {
  const palette = getPalette(options.colour ?? false);
  const max = options.maxFindings ?? 20;
  const lines = [
    `${paintResult(verdict.result, palette)}  log ${escapeText(verdict.log)}, ${plural(verdict.size, 'entry', 'entries')}`,
    `  root  ${Buffer.from(verdict.root).toString('hex')}`,
  ];
  lines.push(...renderTable(verdict.findings.slice(0, max).map((found) => findingCells(found, palette))));
  const hidden = verdict.findings.length - max;
  if (hidden > 0) lines.push(`  and ${plural(hidden, 'further finding', 'further findings')}`);
  if (verdict.truncated) lines.push('  There are more findings than were listed.');
  for (const { what, detail } of verdict.notChecked) {
    lines.push(`  ${palette.yellow('not checked')}  ${what}: ${escapeText(detail)}`);
  }
  return lines.join('\n');
}

function paintResult(result: Verdict['result'], palette: Palette): string {
  if (result === 'valid') return palette.green('VALID');
  return result === 'invalid' ? palette.red('INVALID') : palette.yellow('INCOMPLETE');
}

function findingCells({ code, index, eventId, detail }: Finding, palette: Palette): Cell[] {
  const place = index === null ? '–' : `index ${index}`;
  const event = eventId === null ? '' : ` (event ${escapeText(eventId)})`;
  return [
    { text: `  ${code}`, paint: palette.red },
    { text: place },
    { text: `${escapeText(detail)}${event}` },
  ];
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
