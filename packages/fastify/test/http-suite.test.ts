import { httpSuite } from '@indelible/context/conformance';
import { describe, test } from 'vitest';
import { fastifyApp } from './fastify-app.js';

describe('Fastify 5', () => {
  httpSuite({ test, factory: fastifyApp, supports: { multipart: true } });
});
