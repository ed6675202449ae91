import { type Check, checkDay } from './check-day.js';
import { collectEvidence } from './collect-evidence.js';
import { createPaint } from './paint.js';
import { printTrail, WIDTH } from './print-trail.js';
import { printChecks, printForged, printVerdicts } from './print-verdict.js';
import { wrap } from './wrap.js';

/**
 * Plays the day in `folder` and prints the trail, the verdicts, the forgeries and the checks.
 *
 * @returns true if everything came out as it should
 */
export async function runDay(folder: string): Promise<boolean> {
  const paint = createPaint(process.stdout.isTTY);
  const print = (...lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`);
  const title = (text: string, note: string) =>
    print(
      '',
      paint('cyan', `── ${text} ${'─'.repeat(WIDTH - 4 - text.length)}`),
      ...wrap(note, WIDTH, '').map((line) => paint('dim', line)),
      '',
    );

  const evidence = await collectEvidence(folder);
  title(
    'A day at the clinic',
    'An Express application on Prisma and SQLite, used over HTTP. Each heading is a request; beneath it stands what ' +
      'the log says of it, read from the database file.',
  );
  print(...printTrail(evidence.trail.entries, evidence.played, paint));

  title(
    'Is it as it was written?',
    'Every body, column, leaf and link is computed again, and the head is checked with the key.',
  );
  print(...printVerdicts(evidence.verdicts, paint));

  title(
    "Behind the log's back",
    'Each on a copy of the file, with the guards dropped first, as somebody with all rights on the database can.',
  );
  print(...printForged(evidence.forged, paint));

  title(
    'Did all of it come out as it should?',
    'What stands in the files, read with plain SQL, is held against the script of the day.',
  );
  const checks = checkDay(evidence);
  print(...printChecks(checks, paint), '', conclude(checks), '');
  return checks.every(({ failures }) => failures.length === 0);
}

function conclude(checks: readonly Check[]): string {
  const failed = checks.filter(({ failures }) => failures.length > 0).length;
  return failed === 0
    ? `All ${checks.length} checks passed.`
    : `${failed} of ${checks.length} checks FAILED.`;
}
