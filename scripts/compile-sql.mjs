// Compiles migrations/*.sql of a package into its src/migrations.ts: run it in the package's directory. With --check it writes
// nothing and fails where the file is not current.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = 'migrations';
const target = join('src', 'migrations.ts');

const migrations = readdirSync(directory)
  .filter((name) => /^\d{4}_\w+\.sql$/.test(name))
  .sort()
  .map((name) => {
    const sql = readFileSync(join(directory, name), 'utf8');
    if (/[`\\]|\$\{/.test(sql))
      throw new Error(`${name}: a back-tick, a backslash or \${ can not be compiled`);
    return `  {\n    version: ${Number(name.slice(0, 4))},\n    name: '${name.slice(0, -4)}',\n    sql: \`${sql}\`,\n  },\n`;
  });

const compiled = `// Made from migrations/*.sql by scripts/compile-sql.mjs. Edit those.

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
${migrations.join('')}];
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== compiled) {
    console.error(
      'src/migrations.ts is not what migrations/*.sql give. Run: node ../../scripts/compile-sql.mjs',
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, compiled);
  console.log(target);
}
