/** A property of what may be no object. */
export function readProperty(holder: unknown, name: string): unknown {
  const isHolder = (typeof holder === 'object' && holder !== null) || typeof holder === 'function';
  return isHolder ? Reflect.get(holder, name) : undefined;
}
