import type { ModelCaptureOptions } from '@indelible/capture';

/** What `@Audited()` takes. */
export type AuditedOptions = ModelCaptureOptions;

/** By entity class. Kept as data, so that a class that is audited nowhere costs nothing. */
const classes = new WeakMap<object, AuditedOptions | false>();
const properties = new WeakMap<object, Set<string>>();

/**
 * How an entity is audited: `@Audited({ exclude: ['notes'] })`. Every entity is, with this decorator or without; what it names
 * is left out of its events. Holds for the entities that inherit from it too.
 *
 * @throws TypeError for an option that is unknown or of the wrong form
 */
export function Audited(options: AuditedOptions = {}): ClassDecorator {
  const { exclude = [], softDelete, ...unknown } = options;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined)
    throw new TypeError(`[indelible/typeorm] @Audited() knows no option "${stranger}"`);
  if (!Array.isArray(exclude) || exclude.some((field) => typeof field !== 'string')) {
    throw new TypeError(
      '[indelible/typeorm] the option "exclude" of @Audited() takes an array of properties',
    );
  }
  const kept = Object.freeze({ exclude: [...exclude], ...(softDelete === undefined ? {} : { softDelete }) });
  return (target) => {
    classes.set(target, kept);
  };
}

/** Leaves an entity, or one of its properties, out of all events. */
export function NotAudited(): ClassDecorator & PropertyDecorator {
  return (target: object, property?: string | symbol) => {
    if (property === undefined) classes.set(target, false);
    else {
      const known = properties.get(target) ?? new Set();
      properties.set(target, known.add(String(property)));
    }
  };
}

/** What `@Audited()` and `@NotAudited()` say of a class, or of the nearest one that it extends. */
export function readAudited(target: unknown): AuditedOptions | false | undefined {
  return findInChain(target, (own) => classes.get(own));
}

/** True if `@NotAudited()` stands at this property of the class, or of one that it extends. */
export function isPropertyNotAudited(target: unknown, property: string): boolean {
  const found = findInChain(target, (own) => {
    const prototype: unknown = Reflect.get(own, 'prototype');
    const isNamed =
      typeof prototype === 'object' && prototype !== null && properties.get(prototype)?.has(property);
    return isNamed === true ? true : undefined;
  });
  return found === true;
}

/** @param target a class; an entity that is made without one is named by a text, of which there is nothing to find */
function findInChain<T>(target: unknown, read: (own: object) => T | undefined): T | undefined {
  let current: unknown = target;
  while (typeof current === 'function') {
    const found = read(current);
    if (found !== undefined) return found;
    current = Object.getPrototypeOf(current);
  }
  return undefined;
}
