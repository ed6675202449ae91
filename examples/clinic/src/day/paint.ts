import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta';
export type Paint = (style: Style, text: string) => string;

/** Colours for a terminal; plain text for a pipe, a file, or where `NO_COLOR` is set. */
export function createPaint(isTerminal: boolean, environment: NodeJS.ProcessEnv = process.env): Paint {
  const plain = !isTerminal || Boolean(environment.NO_COLOR) || environment.TERM === 'dumb';
  // The check of the stream is made here, so that every supported version of Node does the same.
  return plain ? (_style, text) => text : (style, text) => styleText(style, text, { validateStream: false });
}
