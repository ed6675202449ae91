import type { EventColumns, PreparedEvent, StoredEvent } from '@indelible/core';

const HAS_SPECIAL = /[\\\u0080-\uffff]/;
const SPECIAL = /[\\\u0080-\uffff]/g;
const ESCAPE = /\\(?:\\|u([0-9a-f]{4}))/g;

/**
 * The texts of the query columns, in the form that the database can hold. In one that is not encoded in UTF-8 not every
 * character has a place, and an event must not be lost for it: whatever is no ASCII stands as `\u20ac` there, in UTF-16 units,
 * and a backslash as two. Bodies are bytes, and the same everywhere.
 */
export class ColumnTexts {
  #isUtf8 = true;

  /** What `getdatabaseencoding()` gives. MUST be told before anything is written or read. */
  encoding(name: unknown): void {
    this.#isUtf8 = name === 'UTF8';
  }

  write(text: string): string {
    if (this.#isUtf8 || !HAS_SPECIAL.test(text)) return text;
    return text.replace(SPECIAL, (unit) =>
      unit === '\\' ? '\\\\' : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  }

  /** A text that `write` would have written otherwise becomes one that no column can hold: somebody has changed it. */
  read(text: string): string {
    if (this.#isUtf8 || !HAS_SPECIAL.test(text)) return text;
    const read = text.replace(ESCAPE, (_, unit: string | undefined) =>
      unit === undefined ? '\\' : String.fromCharCode(Number.parseInt(unit, 16)),
    );
    return this.write(read) === text ? read : `\0${text}`;
  }

  writeEvents(events: readonly PreparedEvent[]): readonly PreparedEvent[] {
    if (this.#isUtf8) return events;
    return events.map((event) => ({
      ...event,
      columns: mapColumns(event.columns, (text) => this.write(text)),
    }));
  }

  readEvent<T extends StoredEvent>(event: T): T {
    if (this.#isUtf8) return event;
    return { ...event, columns: mapColumns(event.columns, (text) => this.read(text)) };
  }
}

function mapColumns(columns: EventColumns, map: (text: string) => string): EventColumns {
  const mapOptional = (text: string | null): string | null => (text === null ? null : map(text));
  return {
    time: map(columns.time),
    action: map(columns.action),
    category: columns.category,
    outcome: columns.outcome,
    actorType: columns.actorType,
    actorId: map(columns.actorId),
    resourceType: mapOptional(columns.resourceType),
    resourceId: mapOptional(columns.resourceId),
    tenant: mapOptional(columns.tenant),
    requestId: mapOptional(columns.requestId),
    transactionId: mapOptional(columns.transactionId),
    ip: mapOptional(columns.ip),
  };
}
