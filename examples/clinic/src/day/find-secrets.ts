import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Leak {
  readonly secret: string;
  /** The file's name. */
  readonly file: string;
}

/** Searches the raw bytes of every file in the folder (database, WAL, spool) for the secrets, as text, hex and base64. */
export function findSecrets(folder: string, secrets: Readonly<Record<string, string>>): readonly Leak[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return names.flatMap((file) => {
    const bytes = readFileSync(file);
    return Object.entries(secrets)
      .filter(([, value]) => spellings(value).some((spelling) => bytes.includes(spelling)))
      .map(([secret]) => ({ secret, file: basename(file) }));
  });
}

function spellings(secret: string): readonly Buffer[] {
  const plain = Buffer.from(secret);
  const hex = plain.toString('hex');
  // In base64 the text depends on where in a group of three bytes the secret begins; its first and last characters mix
  // with what stands around it.
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), plain])
      .toString('base64')
      .slice(4, -4),
  );
  return [
    plain,
    Buffer.from(secret, 'utf16le'),
    ...[hex, hex.toUpperCase(), ...base64].map((text) => Buffer.from(text)),
  ];
}
