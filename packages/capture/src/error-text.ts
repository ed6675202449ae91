const MAX_DEPTH = 5;

/** The numbers by which databases call the error or one of its causes. */
export function errorNumbers(error: unknown): number[] {
  const numbers: number[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && typeof current === 'object' && current !== null; depth += 1) {
    for (const name of ['rawCode', 'errcode', 'originalCode', 'extendedCode'] as const) {
      const number = Number(Reflect.get(current, name) ?? Number.NaN);
      if (Number.isInteger(number)) numbers.push(number);
    }
    current = Reflect.get(current, 'cause');
  }
  return numbers;
}

/** Everything that an error and its causes say: drivers and ORMs wrap one another's errors. */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && typeof current === 'object' && current !== null; depth += 1) {
    for (const name of ['message', 'originalMessage', 'code', 'originalCode', 'kind'] as const) {
      const value: unknown = Reflect.get(current, name);
      if (typeof value === 'string') parts.push(value);
    }
    current = Reflect.get(current, 'cause');
  }
  return parts.join(' ');
}

/** What the database itself said: the message of the innermost cause. */
export function innermostMessage(error: unknown): string {
  let message = '';
  let current: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && typeof current === 'object' && current !== null; depth += 1) {
    const own: unknown = Reflect.get(current, 'originalMessage') ?? Reflect.get(current, 'message');
    if (typeof own === 'string' && own !== '') message = own;
    current = Reflect.get(current, 'cause');
  }
  return message;
}

/**
 * Writes out the stacks of the error and its causes. Until then an error holds the objects that its frames ran on: a
 * driver's statement could not be collected for as long as somebody keeps the error.
 */
export function letGoOfFrames(error: unknown): void {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && typeof current === 'object' && current !== null; depth += 1) {
    Reflect.get(current, 'stack');
    current = Reflect.get(current, 'cause');
  }
}
