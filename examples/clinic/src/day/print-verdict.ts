import type { Finding, Verdict } from '@indelible/core';
import type { Check, Forged } from './check-day.js';
import type { Paint } from './paint.js';
import { WIDTH } from './print-trail.js';
import { wrap } from './wrap.js';

/** What verification says to the log as it is. */
export function printVerdicts(verdicts: readonly Verdict[], paint: Paint): readonly string[] {
  return verdicts.flatMap(({ log, result, size, root, findings, notChecked }) => [
    `  ${paint(result === 'valid' ? 'green' : 'red', result)}  log "${log}", ${size} entries, root ${hex(root).slice(0, 32)}…`,
    ...findings.flatMap((finding) => findingLines(finding, paint)),
    ...notChecked.flatMap(({ what, detail }) =>
      wrap(`not checked: ${what} (${detail})`, WIDTH - 9, ' '.repeat(9)),
    ),
  ]);
}

/** What verification says to each forgery. */
export function printForged(forged: readonly Forged[], paint: Paint): readonly string[] {
  return forged.flatMap(({ forgery, verdicts }, number) => {
    const findings = verdicts.flatMap((verdict) => verdict.findings);
    const [first, ...others] = findings;
    return [
      ...(number === 0 ? [] : ['']),
      `  ${number + 1}  ${paint('bold', forgery.name)}`,
      ...forgery.statements
        .flatMap(({ sql }) => wrap(`${sql};`, WIDTH - 5, ' '.repeat(5)))
        .map((line) => paint('dim', line)),
      ...(first === undefined ? [`     ${paint('red', 'nothing was found')}`] : findingLines(first, paint)),
      ...(others.length === 0 ? [] : [paint('dim', `     and ${others.length} more that follow from it`)]),
    ];
  });
}

export function printChecks(checks: readonly Check[], paint: Paint): readonly string[] {
  return checks.flatMap(({ name, failures }) => [
    failures.length === 0 ? `  ${paint('green', 'ok')}    ${name}` : `  ${paint('red', 'FAIL')}  ${name}`,
    ...failures.map((failure) => `        ${failure}`),
  ]);
}

function findingLines({ code, index, detail }: Finding, paint: Paint): readonly string[] {
  const place = index === null ? 'the log as a whole' : `entry ${index}`;
  return [`     ${paint('red', `→ ${code}`)} at ${place}`, ...wrap(detail, WIDTH - 7, ' '.repeat(7))];
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
