import type { Verdict } from './verdict.js';

/** Everything in a bundle is somebody else's text: what could steer a terminal or reorder a line is written as an escape. */
const UNSAFE = /[\p{Cc}\p{Surrogate}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

const WHAT = {
  bundle: 'log',
  event: 'event',
  consistency: 'consistency',
  unknown: 'file',
} as const satisfies Record<Verdict['kind'], string>;

/** A verdict for people. */
export function renderVerdict(verdict: Verdict): string {
  const { result, kind, checkpoint, entries, anchors, event, findings, truncated, notChecked } = verdict;
  const place = event === null ? '' : ` ${event.index}`;
  const lines = [
    `${result.toUpperCase()}  ${WHAT[kind]}${place}${checkpoint === null ? '' : ` of ${safeText(checkpoint.origin)}`}`,
  ];
  if (checkpoint !== null) {
    lines.push(`  checkpoint   ${checkpoint.size} entries, root ${checkpoint.root}`);
    lines.push(`  signed by    ${checkpoint.signers.map(safeText).join(', ')}`);
    for (const { name, time } of checkpoint.witnesses)
      lines.push(`  witnessed    ${safeText(name)}, ${time}`);
  }
  if (kind === 'bundle') lines.push(`  read         ${entries} entries`);
  if (anchors.length > 0)
    lines.push(`  continues    checkpoints of ${anchors.join(', ')} entries that you hold`);
  if (event !== null) lines.push(`  event        ${safeText(event.body)}`);
  for (const { code, index, detail } of findings) {
    lines.push(`  ${code}${index === null ? '' : `  index ${index}`}  ${safeText(detail)}`);
  }
  if (truncated) lines.push('  There are more findings than were listed.');
  for (const { what, detail } of notChecked) lines.push(`  not checked  ${what}: ${detail}`);
  return lines.join('\n');
}

export function safeText(text: string): string {
  return text.replace(UNSAFE, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
