import type { HammerReport } from './hammer.js';

/** What was done, what came of it, and what was proven, for a terminal. */
export function renderHammerReport(report: HammerReport): string {
  const { label, proof, promises, injected, notInjected, problems } = report;
  const lines = [`${label}`];
  const add = (count: number, what: string): void => {
    lines.push(`  ${count.toLocaleString('en').padStart(9)}  ${what}`);
  };
  lines.push(' injected');
  for (const [name, count] of injected) add(count, name);
  for (const name of notInjected) lines.push(`  NOT INJECTED  ${name}`);
  lines.push(' seen by the processes');
  add(promises.operations, 'operations committed and answered');
  add(promises.rolledBack, 'transactions rolled back on purpose');
  add(promises.recorded, 'events recorded and promised');
  add(promises.spooled, 'of them by the spool');
  for (const [code, count] of [...promises.failures].sort((a, b) => b[1] - a[1]))
    add(count, `failed: ${code}`);
  const errors = new Map<string, number>();
  for (const { code } of promises.errors) errors.set(code, (errors.get(code) ?? 0) + 1);
  for (const [code, count] of errors) add(count, `reported to onError: ${code}`);
  lines.push(' proven');
  add(proof.events, 'events stored, each sealed once, in one dense and valid log');
  add(proof.changes, 'of them changes, which lead row by row from the first state to the last');
  add(proof.rows, 'rows, as their last events left them');
  if (problems.length > 0) {
    lines[lines.indexOf(' proven')] = ' NOT proven';
    lines.push(` ${problems.length} problems`);
    for (const problem of problems.slice(0, 40)) lines.push(`  ${problem}`);
  }
  return `${lines.join('\n')}\n`;
}
