import { httpSuite } from '@indelible/context/conformance';
import { test } from 'vitest';
import { expressApp } from './express-app.js';

httpSuite({ test, factory: expressApp, supports: { multipart: true } });
