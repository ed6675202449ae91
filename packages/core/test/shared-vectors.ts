import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Vectors of others, which lie beside the repository and not in it: `shared/vectors` next to its root. Null where they are
 * not there; a test that needs them then says so in its name.
 */
export function trySharedVectors(name: string): unknown {
  const root = repositoryRoot(dirname(fileURLToPath(import.meta.url)));
  const file = join(root, '..', 'shared', 'vectors', name);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

function repositoryRoot(folder: string): string {
  if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('not inside of the repository');
  return repositoryRoot(parent);
}
