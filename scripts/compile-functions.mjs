// Compiles sql/*.sql of a package, the functions that it makes in a database, into its src/sql/*.ts and src/functions.ts: run it
// in the package's directory. With --check it writes nothing and fails where a file is not current.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const compiled = new Map();
const names = [];
for (const file of readdirSync('sql').sort()) {
  const sql = readFileSync(join('sql', file), 'utf8');
  if (/[`\\]|\$\{/.test(sql)) throw new Error(`${file}: a back-tick, a backslash or \${ can not be compiled`);
  const name = file.replace(/^\d+_|\.sql$/g, '').replaceAll('_', '-');
  const constant = name.replaceAll('-', '_').toUpperCase();
  names.push([name, constant]);
  compiled.set(
    join('src', 'sql', `${name}.ts`),
    `// Made from sql/${file} by scripts/compile-functions.mjs. Edit that.\n\nexport const ${constant} = \`${sql}\`;\n`,
  );
}
const imports = [...names]
  .sort(([first], [second]) => (first < second ? -1 : 1))
  .map(([name, constant]) => `import { ${constant} } from './sql/${name}.js';`);
compiled.set(
  join('src', 'functions.ts'),
  `// Made from sql/*.sql by scripts/compile-functions.mjs. Edit those.
${imports.join('\n')}

/** In the order in which they build on each other. */
export const FUNCTIONS: readonly string[] = [
${names.map(([, constant]) => `  ${constant},\n`).join('')}];
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
