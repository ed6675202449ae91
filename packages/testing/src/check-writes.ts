import type { CheckResult } from './check-log.js';
import type { WriteWatch } from './write-watch.js';

const MOST = 20;

export async function checkUnaudited(writes: WriteWatch): Promise<CheckResult> {
  const found = await writes.unaudited();
  if (found.length === 0) return { pass: true, message: 'every write has its event' };
  const lines = found
    .slice(0, MOST)
    .map(({ type, id, operation, fields }) =>
      operation === 'update'
        ? `  ${type} ${id}: no event tells what ${fields.join(', ')} came to be`
        : `  ${type} ${id}: no event tells of its ${operation}`,
    );
  const more = found.length > MOST ? [`  and ${found.length - MOST} more`] : [];
  return {
    pass: false,
    message: [`${found.length} rows were written past the audit`, ...lines, ...more].join('\n'),
  };
}
