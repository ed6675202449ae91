import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The URI that opens a file for reading only (https://www.sqlite.org/uri.html). A WAL database wants to make files beside
 * itself even then; where its folder forbids that, and no log beside it holds commits that would be passed over, it is
 * read as one that nobody changes.
 */
export function readOnlyUri(file: string): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return `file:${path}?${needsImmutable(file) ? 'immutable=1' : 'mode=ro'}`;
}

function needsImmutable(file: string): boolean {
  const log = statSync(`${file}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0) return false;
  try {
    accessSync(dirname(file), constants.W_OK);
    return false;
  } catch {
    return true;
  }
}
