import { expect, test } from 'vitest';
import { logName } from '../src/log-name.js';

test("an event without a tenant goes to the origin, one with a tenant to the tenant's log", () => {
  expect(logName('audit')).toBe('audit');
  expect(logName('audit', '')).toBe('audit');
  expect(logName('audit', 'clinic-7.eu_west')).toBe('audit/clinic-7.eu_west');
});

test("a tenant's name can not leave its place", () => {
  expect(logName('audit', '../other')).toBe('audit/..%2Fother');
  expect(logName('audit', '..')).toBe('audit/%2E%2E');
  expect(logName('audit', "a!'()*~\n é")).toBe('audit/a%21%27%28%29%2A%7E%0A%20%C3%A9');
  expect(logName('audit', '~x')).toBe('audit/%7Ex');
});

test('two tenants never share a log, long names and lone surrogates included', () => {
  const tenants = ['a'.repeat(300), `${'a'.repeat(299)}b`, '\ud800', '\ud801', '\ufffd', '😀'.repeat(60)];
  const names = tenants.map((tenant) => logName('audit', tenant));
  expect(new Set(names).size).toBe(tenants.length);
  for (const name of names) expect(name).toMatch(/^audit\/[A-Za-z0-9~%._-]{1,255}$/);
});
