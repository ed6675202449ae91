import { readPath } from './request-reading.js';

/** The route that answers a request, as the application wrote it. */
export interface RequestRoute {
  /** `/patients/:id`, with the prefix of the router that it is mounted in. */
  readonly pattern: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface UncheckedRequest {
  readonly baseUrl?: unknown;
  readonly params?: unknown;
  readonly route?: unknown;
  readonly routeOptions?: unknown;
}

const NO_PARAMS: Readonly<Record<string, unknown>> = Object.freeze({});

/** The route of an Express or Fastify request, or undefined where none matched (yet). Its params are the request's own. */
export function readRoute(req: object): RequestRoute | undefined {
  const { baseUrl, params: found, route, routeOptions } = req as UncheckedRequest;
  const params = isObject(found) ? (found as Readonly<Record<string, unknown>>) : NO_PARAMS;
  if (isObject(routeOptions)) {
    const { url } = routeOptions as { readonly url?: unknown };
    return typeof url === 'string' ? { pattern: url, params } : undefined;
  }
  if (!isObject(route)) return undefined;
  const { path } = route as { readonly path?: unknown };
  if (typeof path !== 'string') return { pattern: String(path), params };
  if (typeof baseUrl === 'string' && baseUrl !== '') return { pattern: join(baseUrl, path), params };
  const asked = readPath(req);
  if (isWhole(path, params, asked)) return { pattern: path, params };
  // After an error Express has taken the router's prefix and the parameters off the request again.
  const lost = restoreMounted(path, asked);
  return lost === undefined ? { pattern: path, params } : { ...lost, params: { ...lost.params, ...params } };
}

/** True if the pattern accounts for the whole path: nothing was taken off the request. */
function isWhole(pattern: string, params: Readonly<Record<string, unknown>>, path: string): boolean {
  if (countSlashes(pattern) !== countSlashes(path) || pattern.endsWith('/')) return false;
  if (!pattern.includes(':')) return true;
  for (const _ in params) return true;
  return false;
}

function countSlashes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) count += 1;
  return count;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function join(base: string, path: string): string {
  if (path === '/') return base;
  return path.startsWith('/') ? base + path : `${base}/${path}`;
}

/** Matches a pattern of plain segments and `:names` against the end of the path; what is before it is the prefix. */
function restoreMounted(pattern: string, path: string): RequestRoute | undefined {
  if (!/^[\w\-./:]*$/.test(pattern)) return undefined;
  const names = pattern.split('/').filter((part) => part !== '');
  const parts = path.split('/').filter((part) => part !== '');
  const skipped = parts.length - names.length;
  if (skipped < 0) return undefined;
  const params: Record<string, string> = {};
  for (const [at, name] of names.entries()) {
    const part = parts[skipped + at] ?? '';
    if (name.startsWith(':')) params[name.slice(1)] = decode(part);
    else if (name.toLowerCase() !== part.toLowerCase()) return undefined;
  }
  const prefix = parts.slice(0, skipped);
  const mounted = [...prefix, ...names].join('/');
  return { pattern: `/${mounted}`, params };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
