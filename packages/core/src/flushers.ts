import { sharedState } from './shared-state.js';

/**
 * For packages that collect before they record: `flush` is called before `flush()` and `close()` of any audit, and records
 * what is collected by then, before it returns.
 */
export function registerFlusher(flush: () => void): void {
  const state = sharedState();
  state.flushers ??= new Set();
  state.flushers.add(flush);
}

export function runFlushers(report: (error: unknown) => void): void {
  for (const flush of sharedState().flushers ?? []) {
    try {
      flush();
    } catch (error) {
      report(error);
    }
  }
}
