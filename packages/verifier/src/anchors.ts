import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Refused } from './finding.js';
import { type Checkpoint, MAX_NOTE_BYTES } from './note.js';
import type { Policy } from './policy.js';
import { PolicyError } from './policy.js';
import { openCheckpoint } from './trusted-checkpoint.js';

/**
 * The checkpoints of this log that the auditor holds: those that his policy states, and the signed ones in the files that it
 * names, which are verified like any other. Those of other logs in a directory are passed over.
 *
 * @throws PolicyError for a file that is not there or holds no checkpoint of a trusted key
 */
export function readAnchors(policy: Policy, origin: string): readonly Checkpoint[] {
  const held = policy.expected.filter((checkpoint) => checkpoint.origin === origin);
  for (const path of policy.anchors) {
    for (const file of filesIn(path)) {
      const anchor = readAnchor(file, policy);
      if (anchor !== null && anchor.origin === origin) held.push(anchor);
      else if (file === path) throw new PolicyError(`the anchor ${file} is of another log than ${origin}`);
    }
  }
  return held.toSorted((one, other) => one.size - other.size);
}

function readAnchor(file: string, policy: Policy): Checkpoint | null {
  try {
    if (statSync(file).size > MAX_NOTE_BYTES) throw new PolicyError(`the anchor ${file} is too large`);
    return openCheckpoint(readFileSync(file), policy);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.finding.code === 'AUDIT_CHECKPOINT_ORIGIN') return null;
    // An anchor that says nothing must not pass for one that agrees.
    throw new PolicyError(`the anchor ${file} can not be used: ${error.message}`);
  }
}

function filesIn(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return (
    readdirSync(path, { recursive: true, withFileTypes: true })
      // What is being written has a name that begins with a dot.
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  );
}
