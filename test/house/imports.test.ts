import { describe, expect, it } from 'vitest';
import { manifest, packageNames, read, sources, withoutComments } from './workspace-files.js';

/** Who may import whom: the arrows of packages/core/DESIGN.md. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  context: ['core'],
  express: ['core', 'context'],
  fastify: ['core', 'context'],
  auth: ['core', 'context'],
  testing: ['core'],
  sqlite: ['core'],
  postgres: ['core'],
  'postgres-triggers': ['core'],
  mysql: ['core'],
  capture: ['core', 'context'],
  prisma: ['core', 'context', 'capture'],
  typeorm: ['core', 'context', 'capture'],
  sequelize: ['core', 'context', 'capture'],
  // Nothing: whoever checks the evidence need not trust the code that made it.
  verifier: [],
  cli: ['core', 'sqlite', 'postgres', 'postgres-triggers', 'mysql'],
};

/** What core may use of Node. */
// node:module finds the package of a store from the application that asks for it.
const CORE_BUILTINS = [
  'node:crypto',
  'node:async_hooks',
  'node:fs',
  'node:fs/promises',
  'node:module',
  'node:url',
];
/** What its conformance suite may use beside that. */
const SUITE_BUILTINS = ['node:assert', 'node:assert/strict'];

const FORMS = [
  /^(?:import|export)\b[^;'"]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\(\s*'([^']+)'/g,
] as const;

function imports(name: string): { from: string; path: string }[] {
  return sources(name).flatMap((path) => {
    const text = withoutComments(read(path));
    const found = FORMS.flatMap((form) => [...text.matchAll(form)].map((match) => match[1] ?? ''));
    return found.map((from) => ({ from, path }));
  });
}

/** `@scope/name` or `name` of an import, without the path behind it. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

describe('imports', () => {
  it('every package has its arrows', () => {
    expect(packageNames().filter((name) => !Object.hasOwn(ARROWS, name))).toEqual([]);
  });

  it('the parser sees the imports that are there', () => {
    const seen = imports('cli').map(({ from }) => from);
    expect(seen).toContain('@indelible/core');
    expect(seen).toContain('node:util');
    expect(seen).toContain('./render-trail.js');
  });

  describe.each(packageNames())('%s', (name) => {
    it('imports of the workspace only what the arrows allow', () => {
      const allowed = (ARROWS[name] ?? []).map((other) => `@indelible/${other}`);
      const wrong = imports(name).filter(
        ({ from }) => from.startsWith('@indelible/') && !allowed.includes(packageOf(from)),
      );
      expect(wrong).toEqual([]);
    });

    it('declares every package that it imports', () => {
      const { dependencies = {}, peerDependencies = {} } = manifest(name);
      const declared = Object.keys({ ...dependencies, ...peerDependencies });
      const outside = imports(name).filter(({ from }) => !from.startsWith('.') && !from.startsWith('node:'));
      const wrong = outside.filter(({ from }) => !declared.includes(packageOf(from)));
      expect(wrong).toEqual([]);
    });

    it('imports its own files by relative paths that stay inside', () => {
      const wrong = imports(name).filter(({ from, path }) => {
        if (!from.startsWith('.')) return false;
        const resolved = new URL(from, `file:///${path}`).pathname;
        return !resolved.startsWith(`/packages/${name}/src/`) || !from.endsWith('.js');
      });
      expect(wrong).toEqual([]);
    });
  });

  it('core has no runtime dependency', () => {
    const { dependencies = {}, peerDependencies = {} } = manifest('core');
    expect({ ...dependencies, ...peerDependencies }).toEqual({});
  });

  it('core uses no part of Node but crypto, async_hooks, fs and url', () => {
    const allowed = (path: string) =>
      path.startsWith('packages/core/src/conformance/')
        ? [...CORE_BUILTINS, ...SUITE_BUILTINS]
        : CORE_BUILTINS;
    const wrong = imports('core').filter(
      ({ from, path }) => !from.startsWith('.') && !allowed(path).includes(from),
    );
    expect(wrong).toEqual([]);
  });

  it('core names no store and no ORM outside of the table of URL schemes', () => {
    const naming = /'(?:sqlite|postgres|mysql|prisma|typeorm|sequelize)'/;
    const wrong = sources('core').filter(
      (path) => !path.includes('/conformance/') && naming.test(withoutComments(read(path))),
    );
    expect(wrong).toEqual([]);
  });
});
