// Compiles sql/*.sql of a package, the functions that it makes in a database, into its src/sql/*.ts and src/functions.ts: run it
// in the package's directory. With --check it writes nothing and fails where a file is not current.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of the functions of versions that were released: databases may still have them. */
const RELEASED = [];

const compiled = new Map();
const names = [];
const bodies = [];
for (const file of readdirSync('sql').sort()) {
  const sql = readFileSync(join('sql', file), 'utf8');
  if (/[`\\]|\$\{/.test(sql)) throw new Error(`${file}: a back-tick, a backslash or \${ can not be compiled`);
  const name = file.replace(/^\d+_|\.sql$/g, '').replaceAll('_', '-');
  const constant = name.replaceAll('-', '_').toUpperCase();
  names.push([name, constant]);
  for (const [, made, source] of sql.matchAll(
    /^CREATE OR REPLACE FUNCTION (\w+)\([\s\S]*?AS \$\$([\s\S]*?)\$\$;$/gm,
  ))
    bodies.push([made, source]);
  compiled.set(
    join('src', 'sql', `${name}.ts`),
    `// Made from sql/${file} by scripts/compile-functions.mjs. Edit that.\n\nexport const ${constant} = \`${sql}\`;\n`,
  );
}
const imports = [...names]
  .sort(([first], [second]) => (first < second ? -1 : 1))
  .map(([name, constant]) => `import { ${constant} } from './sql/${name}.js';`);
// By these an audited client knows the functions of triggers that record a table: see functionsSumExpression in capture.
const sources = [...bodies].sort(([first], [second]) => (first < second ? -1 : 1));
const sum = createHash('md5')
  .update(sources.map(([name, source]) => `${name} ${source}`).join(''))
  .digest('hex');
compiled.set(
  join('src', 'functions.ts'),
  `// Made from sql/*.sql by scripts/compile-functions.mjs. Edit those.
${imports.join('\n')}

/** In the order in which they build on each other. */
export const FUNCTIONS: readonly string[] = [
${names.map(([, constant]) => `  ${constant},\n`).join('')}];

/** The MD5 of their names and sources, as \`listTriggers\` asks for it. */
export const FUNCTIONS_SUM = '${sum}';
`,
);

compiled.set(
  join('..', 'capture', 'src', 'postgres', 'recorder-sums.ts'),
  `// Made from ../postgres-triggers/sql/*.sql by scripts/compile-functions.mjs.

/** What \`functionsSumExpression\` gives for the functions of @indelible/postgres-triggers, by their versions. */
export const RECORDER_SUMS: readonly string[] = [${[...RELEASED, sum].map((known) => `'${known}'`).join(', ')}];
`,
);

for (const [path, text] of compiled) {
  if (!process.argv.includes('--check')) {
    mkdirSync(join('src', 'sql'), { recursive: true });
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(`${path} is not what sql/*.sql give. Run: node ../../scripts/compile-functions.mjs`);
    process.exitCode = 1;
  }
}
