import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Policy, PolicyError, parsePolicy } from './policy.js';
import { renderVerdict, safeText } from './render-verdict.js';
import type { Verdict } from './verdict.js';
import { verifyFile } from './verify-file.js';

const EXIT = { valid: 0, invalid: 1, incomplete: 2 } as const satisfies Record<Verdict['result'], number>;
const COULD_NOT_RUN = 3;
const MAX_THREADS = 8;

const HELP = `Usage: indelible-verify <file> --policy <policy> [options]

Checks a bundle (.tar.gz), the proof of an event (.tlog-proof) or a proof of consistency that was exported from an
Indelible log. It needs no database and no secret, asks no network and writes nothing.

Options:
  --policy <file>   whom you trust and what you expect; see the README
  --event <file>    the event of a proof that does not carry it, byte for byte
  --threads <n>     threads that hash; default: one a core, at most ${MAX_THREADS}
  --json            the verdict as one JSON object
  -h, --help        this text

Exit codes: 0 valid, 1 invalid, 2 incomplete, 3 could not run.`;

/** Runs one command line, without node and the script. @returns the exit code */
export async function runCommandLine(args: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        policy: { type: 'string' },
        event: { type: 'string' },
        threads: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      console.log(HELP);
      return EXIT.valid;
    }
    const [file, ...further] = positionals;
    if (file === undefined || further.length > 0)
      throw new PolicyError('one file is verified at a time; see --help');
    if (values.policy === undefined) throw new PolicyError('whom to trust is said by --policy; see --help');
    const threads = readThreads(values.threads);
    const policy = readPolicy(values.policy);
    const verdict = await verifyFile(file, policy, {
      threads,
      signal,
      ...(values.event === undefined ? {} : { body: values.event }),
      ...(process.stderr.isTTY === true && values.json !== true ? { onProgress: tell } : {}),
    });
    if (process.stderr.isTTY === true) process.stderr.write('\r\u001b[2K');
    console.log(values.json === true ? safeText(JSON.stringify(verdict)) : renderVerdict(verdict));
    return EXIT[verdict.result];
  } catch (error) {
    console.error(`indelible-verify: ${safeText(error instanceof Error ? error.message : String(error))}`);
    return COULD_NOT_RUN;
  }
}

/** Paths of anchors begin where the policy is, so that both can be kept and moved together. */
function readPolicy(path: string): Policy {
  const policy = parsePolicy(readFileSync(path, 'utf8'));
  return { ...policy, anchors: policy.anchors.map((anchor) => resolve(dirname(path), anchor)) };
}

function readThreads(text: string | undefined): number {
  if (text === undefined) return Math.min(availableParallelism(), MAX_THREADS);
  if (!/^\d{1,3}$/.test(text)) throw new PolicyError('--threads takes a number');
  return Number(text);
}

function tell(done: number, total: number): void {
  process.stderr.write(`\r\u001b[2Kverifying: ${done} of ${total} entries`);
}
