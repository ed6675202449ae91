import { expect, onTestFinished, test, vi } from 'vitest';
import { AuditError } from '../src/audit-error.js';
import { ErrorReporter, toStoreError, withoutSecrets } from '../src/error-reporter.js';

function stderr(): string[] {
  const lines: string[] = [];
  const spy = vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)));
  onTestFinished(() => spy.mockRestore());
  return lines;
}

test('a failure is told of once until things went well again', () => {
  const told: string[] = [];
  const reporter = new ErrorReporter((error) => told.push(error.message));
  for (const message of ['a', 'b', 'a', 'a']) reporter.report(new Error(message));
  expect(told).toEqual(['a', 'b']);
  expect(reporter.last?.message).toBe('a');
  reporter.recovered();
  expect(reporter.last).toBeNull();
  reporter.report(new Error('a'));
  expect(told).toEqual(['a', 'b', 'a']);
});

test('distinct failures without end are not told of without end', () => {
  const told: string[] = [];
  const reporter = new ErrorReporter((error) => told.push(error.message));
  for (let n = 0; n < 5_000; n += 1) reporter.report(new Error(`${n}`));
  expect(told.length).toBe(200);
});

test('the default is one line on stderr that holds no password', () => {
  const lines = stderr();
  const reporter = new ErrorReporter(undefined);
  reporter.report(toStoreError(new Error('no route to\npostgres://ada:hunter2@db/clinic')));
  reporter.report(new Error('password=hunter2; host=db'));
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    expect(line).not.toContain('hunter2');
    expect(line).not.toContain('\n');
    expect(line).toContain('[indelible/core]');
  }
});

test('an onError that throws is told of itself, and costs nothing else', () => {
  const lines = stderr();
  const reporter = new ErrorReporter(() => {
    throw new Error('the pager is down');
  });
  reporter.report(new Error('a'));
  expect(lines).toEqual(['[indelible/core] Error: the pager is down']);
});

test('a store failure keeps the code of an AuditError, also of another copy of this package', () => {
  const own = new AuditError('AUDIT_TABLES_MISSING', 'sqlite', 'no tables');
  expect(toStoreError(own)).toBe(own);
  const foreign = Object.assign(new Error('no tables'), { code: 'AUDIT_TABLES_MISSING' });
  expect(toStoreError(foreign)).toMatchObject({ code: 'AUDIT_TABLES_MISSING', cause: foreign });
  expect(toStoreError(new Error('x'))).toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  expect(toStoreError('x')).toMatchObject({ code: 'AUDIT_STORE_UNAVAILABLE' });
  expect(withoutSecrets('mysql://db/clinic')).toBe('mysql://db/clinic');
});
