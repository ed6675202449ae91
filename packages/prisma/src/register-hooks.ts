/** Hooks of Node's module loader, synchronous and with nothing of their own to load. */

const AUDITED = '?indelible=audited';
const RUNTIME_FILE = /\/@prisma\/client\/runtime\/client\.m?js$/;

interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean;
}

interface Loaded {
  readonly format: string;
  readonly source?: string;
  readonly shortCircuit?: boolean;
}

/** Leads `import` of Prisma's runtime to a module that stands before it. What `require()` loads is watched where it does. */
export function resolve<R extends Resolved | Promise<Resolved>>(
  specifier: string,
  context: { readonly parentURL?: string | undefined; readonly conditions?: readonly string[] },
  next: (specifier: string, context: object) => R,
): R | Resolved {
  const isOurs = context.parentURL?.endsWith(AUDITED) === true;
  const isImport = context.conditions?.includes('import') !== false;
  const lead = (found: Resolved): Resolved =>
    !isOurs && isImport && RUNTIME_FILE.test(found.url)
      ? { url: `${found.url}${AUDITED}`, format: 'module', shortCircuit: true }
      : found;
  const found = next(specifier, context);
  return found instanceof Promise ? (found.then(lead) as R) : lead(found);
}

/** Makes that module: everything that the runtime exports, and its own way to make classes of clients. */
export function load<L extends Loaded | Promise<Loaded>>(
  url: string,
  context: object,
  next: (url: string, context: object) => L,
): L | Loaded {
  if (!url.endsWith(AUDITED)) return next(url, context);
  const original = JSON.stringify(url.slice(0, -AUDITED.length));
  const ours = JSON.stringify(new URL('./audit-runtime.js', import.meta.url).href);
  const source = [
    `import * as runtime from ${original};`,
    `import { auditClientClass } from ${ours};`,
    `export * from ${original};`,
    'export const getPrismaClient = auditClientClass(runtime.getPrismaClient);',
  ].join('\n');
  return { format: 'module', source, shortCircuit: true };
}
