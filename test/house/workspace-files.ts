import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The tracked files and those that will be, as paths from the root. */
export function trackedFiles(): readonly string[] {
  const output = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return output.split('\n').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function packageNames(): readonly string[] {
  return readdirSync(join(ROOT, 'packages')).filter(
    (name) => !name.startsWith('.') && existsSync(join(ROOT, 'packages', name, 'package.json')),
  );
}

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export function manifest(name: string): Manifest {
  return JSON.parse(read(`packages/${name}/package.json`));
}

/** The TypeScript sources of a package, without its tests. */
export function sources(name: string): readonly string[] {
  return trackedFiles().filter((path) => path.startsWith(`packages/${name}/src/`) && path.endsWith('.ts'));
}

/** The text without its comments: what stands in a docstring's example is no code. */
export function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '');
}
