import { describe, expect, it } from 'vitest';
import { PolicyError, parsePolicy } from '../src/policy.js';
import { makeKey } from './evidence.js';

const LOG = makeKey('audit');
const [ONE, TWO, THREE] = ['one', 'two', 'three'].map((name) => makeKey(name, 1n)) as [
  ReturnType<typeof makeKey>,
  ReturnType<typeof makeKey>,
  ReturnType<typeof makeKey>,
];
const WITNESSES = `log ${LOG.vkey}\nwitness one ${ONE.vkey}\nwitness two ${TWO.vkey}\nwitness three ${THREE.vkey}\n`;

describe('a policy', () => {
  it('has lines of words, blank lines and remarks', () => {
    const policy = parsePolicy(
      `# whom we trust\n\n \tlog  ${LOG.vkey}  https://example.com/\norigin audit/north\nsize 12\n`,
    );
    expect(policy).toMatchObject({ origins: ['audit/north'], minimalSize: 12, hasQuorum: false });
    expect(policy.keys.map(({ name }) => name)).toEqual(['audit']);
  });

  it.each<[string, readonly number[], boolean]>([
    ['quorum one', [0], true],
    ['quorum one', [1, 2], false],
    ['group all all one two three\nquorum all', [0, 1], false],
    ['group all all one two three\nquorum all', [0, 1, 2], true],
    ['group any any one two three\nquorum any', [2], true],
    ['group any any one two three\nquorum any', [], false],
    ['group most 2 one two three\nquorum most', [0, 2], true],
    ['group most 2 one two three\nquorum most', [1], false],
    ['group pair all one two\ngroup or any pair three\nquorum or', [2], true],
    ['group pair all one two\ngroup or any pair three\nquorum or', [0], false],
    ['quorum none', [], true],
  ])('with %j and the witnesses %j is content: %s', (lines, present, isEnough) => {
    const policy = parsePolicy(`${WITNESSES}${lines}`);
    const witnesses = policy.keys.filter(({ kind }) => kind === 'witness');
    expect(policy.isQuorum(witnesses.filter((_, at) => present.includes(at)))).toBe(isEnough);
  });

  it.each([
    ['no log', 'size 1'],
    ['witnesses and no quorum', WITNESSES],
    ['two quorums', `${WITNESSES}quorum one\nquorum one`],
    ['a quorum of nobody', `${WITNESSES}quorum four`],
    ['a group of nobody', `${WITNESSES}group g any\nquorum g`],
    ['a group that asks for more than it has', `${WITNESSES}group g 3 one two\nquorum g`],
    ['a group that asks for nothing', `${WITNESSES}group g 0 one two\nquorum g`],
    ['a member of two groups', `${WITNESSES}group g any one\ngroup h any one\nquorum h`],
    ['a name twice', `${WITNESSES}group one any two\nquorum one`],
    ['the name none', `${WITNESSES}group none any two\nquorum none`],
    ['a key twice', `log ${LOG.vkey}\nlog ${LOG.vkey}`],
    ['a witness for a log', `log ${ONE.vkey}`],
    ['a log for a witness', `log ${LOG.vkey}\nwitness one ${makeKey('x').vkey}\nquorum one`],
    ['a key that was mistyped', `log ${LOG.vkey.replace(/.$/, 'x')}`],
    ['an unknown word', `log ${LOG.vkey}\nlgo x`],
    ['a size that is none', `log ${LOG.vkey}\nsize many`],
    ['two sizes', `log ${LOG.vkey}\nsize 1\nsize 2`],
    ['a checkpoint without a root', `log ${LOG.vkey}\ncheckpoint audit 3 abc`],
    ['a control character', `log ${LOG.vkey}\r\n`],
  ])('with %s is none', (_, text) => {
    expect(() => parsePolicy(text)).toThrow(PolicyError);
  });
});
