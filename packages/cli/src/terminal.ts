import { safeJson } from './escape-text.js';
import { getPalette, type Palette, wantsColour } from './palette.js';

/** What a command writes to: results on stdout, everything else on stderr. */
export interface Terminal {
  /** True for `--json`: one JSON value a line on stdout, errors as JSON on stderr. */
  readonly json: boolean;
  readonly colour: boolean;
  readonly palette: Palette;
  print(text: string): void;
  printJson(value: unknown): void;
  warn(text: string): void;
  /** Says on stderr, as JSON, why the command could not run. */
  fail(value: unknown): void;
  /** Shows how far long work has come, on one line of stderr, only where a person looks. */
  progress(text: string): void;
}

const CLEAR_LINE = '\r\u001b[2K';
const PROGRESS_INTERVAL_MS = 100;

export function createTerminal(json: boolean): Terminal {
  const { stdout, stderr, env } = process;
  const colour = !json && wantsColour(stdout, env);
  let shown = false;
  let lastProgress = 0;
  const clearProgress = () => {
    if (shown) stderr.write(CLEAR_LINE);
    shown = false;
  };
  return {
    json,
    colour,
    palette: getPalette(colour),
    print(text) {
      clearProgress();
      stdout.write(`${text}\n`);
    },
    printJson(value) {
      clearProgress();
      stdout.write(`${safeJson(value)}\n`);
    },
    warn(text) {
      clearProgress();
      stderr.write(`indelible: ${text}\n`);
    },
    fail(value) {
      clearProgress();
      stderr.write(`${safeJson(value)}\n`);
    },
    progress(text) {
      if (stderr.isTTY !== true || performance.now() - lastProgress < PROGRESS_INTERVAL_MS) return;
      lastProgress = performance.now();
      shown = true;
      stderr.write(`${CLEAR_LINE}${text}`);
    },
  };
}
