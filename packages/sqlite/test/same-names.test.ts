import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chooseDriver } from '../src/choose-driver.js';
import { makeDirectory, removeDirectory } from './temporary-directory.js';

test('of two columns of one name both are read, whichever library this Node has', () => {
  const directory = makeDirectory();
  const file = join(directory, 'same-names.db');
  const connection = chooseDriver('auto', file).open(file);
  expect(connection.prepare("SELECT 'one' AS log, 'other' AS log").all([])).toEqual([['one', 'other']]);
  connection.close();
  removeDirectory(directory);
});
