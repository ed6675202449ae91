import { HttpError } from './http-error.js';

/** The fields of a JSON body. A missing or wrong one is a 400 that names it. */
export interface Input {
  text(name: string): string;
  integer(name: string): number;
  date(name: string): Date;
  /** A decimal number, as text or as a number. */
  decimal(name: string): string;
  object(name: string): Input;
  /** The objects of an array; a missing array is empty. */
  list(name: string): readonly Input[];
  /** The texts of an array; a missing array is empty. */
  texts(name: string): readonly string[];
  oneOf<T extends string>(name: string, values: readonly T[]): T;
}

export function readInput(body: unknown): Input {
  const values = isRecord(body) ? body : {};
  const refuse = (name: string, wanted: string): never => {
    throw new HttpError(400, `"${name}" must be ${wanted}`);
  };
  const array = (name: string): readonly unknown[] => {
    const value = values[name] ?? [];
    return Array.isArray(value) ? value : refuse(name, 'an array');
  };
  const text = (name: string): string => {
    const value = values[name];
    return typeof value === 'string' && value !== '' ? value : refuse(name, 'a text');
  };
  return {
    text,
    object: (name) => readInput(values[name]),
    integer(name) {
      const value = values[name];
      return typeof value === 'number' && Number.isSafeInteger(value)
        ? value
        : refuse(name, 'a whole number');
    },
    date(name) {
      const value = new Date(text(name));
      return Number.isNaN(value.getTime()) ? refuse(name, 'an ISO 8601 date') : value;
    },
    decimal(name) {
      const value = String(values[name]);
      return /^\d{1,9}(\.\d{1,4})?$/.test(value) ? value : refuse(name, 'a decimal number');
    },
    list: (name) => array(name).map(readInput),
    texts: (name) => array(name).map((item) => (typeof item === 'string' ? item : refuse(name, 'texts'))),
    oneOf(name, allowed) {
      const value = values[name];
      return allowed.find((item) => item === value) ?? refuse(name, `one of ${allowed.join(', ')}`);
    },
  };
}

/** The number in a path such as `/patients/:id`. */
export function readId(value: unknown): number {
  if (typeof value !== 'string' || !/^\d{1,15}$/.test(value)) throw new HttpError(404, 'no such record');
  return Number(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
