import { cpus, totalmem } from 'node:os';
import { type Figure, meetsTarget } from './paired.js';

export interface BenchReport {
  readonly figures: readonly Figure[];
  readonly facts: readonly string[];
  /** Markdown behind the figures. */
  readonly sections: readonly string[];
}

/** The figures as a Markdown table, with the machine that they were measured on. */
export function renderReport({ figures, facts, sections }: BenchReport, date: Date): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.version}`;
  return [
    '# Benchmarks',
    '',
    'Written by `npm run bench`. Each figure compares two ways of doing the same work in one run, pair by pair; the ratio is',
    "the median of the pairs' ratios with its 95 % interval.",
    '',
    `Machine: ${machine}. ${date.toISOString().slice(0, 10)}.`,
    '',
    '| subject | beside | ratio (95 %) | wanted | met | medians |',
    '|---|---|---|---|---|---|',
    ...figures.map(renderFigure),
    '',
    ...facts.map((fact) => `- ${fact}`),
    ...new Set(figures.flatMap(({ name, note }) => (note === undefined ? [] : [`- ${name}: ${note}`]))),
    '',
    ...sections,
  ].join('\n');
}

function renderFigure(figure: Figure): string {
  const met = meetsTarget(figure);
  const wanted =
    figure.target === undefined ? '' : `${figure.target.sign === '<=' ? '≤' : '≥'} ${figure.target.value}`;
  const medians = `${amount(figure.subjectMedian)} / ${amount(figure.baselineMedian)} ${figure.unit}`;
  return `| ${figure.name} | ${figure.baseline} | ${figure.ratio.toFixed(2)} (${figure.low.toFixed(2)}–${figure.high.toFixed(2)}) | ${wanted} | ${met === undefined ? '' : met ? 'yes' : 'no'} | ${medians} |`;
}

function amount(value: number): string {
  return Math.round(value).toLocaleString('en');
}
