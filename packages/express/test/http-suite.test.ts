import { createRequire } from 'node:module';
import { httpSuite } from '@indelible/context/conformance';
import { describe, expect, test } from 'vitest';
import { expressApp } from './express-app.js';
import { EXPRESS_VERSIONS } from './express-versions.js';

const require = createRequire(import.meta.url);

test('each major version of Express that the package takes is tested', () => {
  const tested = ['express', 'express4'].map((name) => String(require(`${name}/package.json`).version));
  expect(tested.map((version) => version.split('.')[0])).toEqual(
    EXPRESS_VERSIONS.map(({ major }) => `${major}`),
  );
});

describe.each(EXPRESS_VERSIONS)('Express $major', (version) => {
  httpSuite({ test, factory: (plan) => expressApp(plan, version), supports: { multipart: true } });
});
