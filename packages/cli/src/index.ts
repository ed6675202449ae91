export * from './escape-text.js';
export * from './exit-code.js';
export * from './render-event.js';
export * from './render-trail.js';
export * from './render-verdict.js';
