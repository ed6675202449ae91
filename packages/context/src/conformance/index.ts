import type { HttpSuiteOptions } from './http-app.js';
import { isolationSuite } from './isolation-suite.js';
import { requestSuite } from './request-suite.js';
import { scopeSuite } from './scope-suite.js';

export type {
  HttpApp,
  HttpAppFactory,
  HttpExchange,
  HttpPlan,
  HttpRoute,
  HttpSuiteOptions,
  HttpSupports,
} from './http-app.js';

/**
 * Holds a framework's middleware to the behaviours of a request's context (X1 to X3 and X5 to X9), with real HTTP requests.
 * The factory builds an application with the framework; the suite reads the events back from the stored bytes.
 */
export function httpSuite(options: HttpSuiteOptions): void {
  isolationSuite(options);
  scopeSuite(options);
  requestSuite(options);
}
