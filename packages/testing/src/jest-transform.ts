import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What is used of TypeScript's API, which its versions 5 and 6 have. */
interface TypeScript {
  readonly ModuleKind: { readonly CommonJS: number };
  readonly ScriptTarget: { readonly ES2022: number };
  transpileModule(
    source: string,
    options: { readonly fileName: string; readonly compilerOptions: Readonly<Record<string, unknown>> },
  ): { readonly outputText: string };
}

/** What Jest hands to a transformer, as far as it is used. */
export interface TransformOptions {
  readonly config: { readonly rootDir: string };
}

const FILE_URL = "require('node:url').pathToFileURL(__filename).href";

/**
 * A transformer for Jest's CommonJS mode, in which ES modules can not be loaded on Node 20: it makes CommonJS of the
 * `@indelible` packages, with the application's own TypeScript.
 *
 * @throws Error where TypeScript 5 or 6 is not installed
 */
export function process(source: string, path: string, { config }: TransformOptions): { code: string } {
  const typescript = loadTypeScript(config.rootDir);
  const { outputText } = typescript.transpileModule(source, {
    fileName: path,
    compilerOptions: {
      module: typescript.ModuleKind.CommonJS,
      target: typescript.ScriptTarget.ES2022,
      allowJs: true,
      esModuleInterop: true,
    },
  });
  return { code: outputText.replaceAll('import.meta.url', FILE_URL) };
}

function loadTypeScript(rootDir: string): TypeScript {
  let cause: unknown;
  try {
    const loaded: unknown = createRequire(join(rootDir, 'package.json'))('typescript');
    if (isTypeScript(loaded)) return loaded;
  } catch (error) {
    cause = error;
  }
  throw new Error(
    '[indelible/testing] the transformer for Jest needs TypeScript 5 or 6. Run: npm install --save-dev typescript@5',
    { cause },
  );
}

function isTypeScript(loaded: unknown): loaded is TypeScript {
  return (
    typeof loaded === 'object' &&
    loaded !== null &&
    'transpileModule' in loaded &&
    typeof loaded.transpileModule === 'function'
  );
}
