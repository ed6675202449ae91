#!/usr/bin/env node
import { runCommandLine } from './command-line.js';

const interrupted = new AbortController();
// Once: a second Ctrl-C ends it at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

process.exitCode = await runCommandLine(process.argv.slice(2), interrupted.signal);
