import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * The paths of a package's module as the application finds it: from where it was started and from its first file. Copies that
 * lie elsewhere are not found.
 * @param from also as this module finds it, `import.meta.url`
 */
export function findModules(name: string, from: string): readonly string[] {
  const places = [from, join(process.cwd(), 'package.json'), process.argv[1]];
  const found = new Set<string>();
  for (const place of places) {
    if (place === undefined) continue;
    try {
      found.add(createRequire(place).resolve(name));
    } catch {
      // It is not installed there: what is found nowhere is told by the caller.
    }
  }
  return [...found];
}

/** Loads a module of CommonJS, or one that `require()` can load. */
export function loadModule(path: string): unknown {
  return createRequire(path)(path);
}
