import type { ListedEvent } from '@indelible/core';
import { eventJson } from './event-json.js';
import { renderTrail } from './render-trail.js';
import type { Terminal } from './terminal.js';

/** A table for people, one object a line for scripts. */
export function printEvents(terminal: Terminal, events: readonly ListedEvent[], headings = true): void {
  if (terminal.json) {
    for (const event of events) terminal.printJson(eventJson(event));
    return;
  }
  if (events.length > 0) terminal.print(renderTrail(events, { colour: terminal.colour, headings }));
}
