#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

// `indelible tail | head` closes the pipe early: that is an end, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

// Node 22 announces node:sqlite as experimental on each start: noise between the lines of whoever reads stderr.
const [printWarning] = process.listeners('warning');
process.removeAllListeners('warning').on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') printWarning?.(warning);
});

const interrupted = new AbortController();
// Once: a second Ctrl-C ends a command that does not come to its end by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

process.exitCode = await runCommandLine(process.argv.slice(2), interrupted.signal);
