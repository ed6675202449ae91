export * from './store-harness.js';
export { storeSuite } from './store-suite.js';
