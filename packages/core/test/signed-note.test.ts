import { describe, expect, it } from 'vitest';
import { createNoteKey, formatNoteKey, parseNoteKey } from '../src/note-key.js';
import { formatNote, openNote, parseNote } from '../src/signed-note.js';
import { makeTestKey } from './test-keys.js';

const code = (expected: string) => expect.objectContaining({ code: expected });
const TEXT = 'audit/north\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
/** Made with openssl and the first key of RFC 8032, not by this code. */
const VKEY = 'audit/north+070e3e3a+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';
const WITNESS = 'witness.example/w1+eb762cc2+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';
const LINE =
  '\u2014 audit/north Bw4+OhxNOksYLJl54dPF9fWZsM7gNClhvUude8VNuwkpijR4O9uc3gCTXz0oC/8DJF/Dzm2mMed0B4dnBQOxj6gcAg0=\n';
const COSIGNED =
  '\u2014 witness.example/w1 63YswgAAAABpVbkA7TLNj2uRdSVwb0cdAON8incBhGzt+sRNMA6yahKZVrXbVg+e8aV6nZb4o0JLgJi/jqlzp/66LQolo1ESkH3jDg==\n';
const NOTE = `${TEXT}\n${LINE}`;

describe('a verifier key', () => {
  it.each([VKEY, WITNESS])('is written as it was read: %s', (text) => {
    expect(formatNoteKey(parseNoteKey(text))).toBe(text);
  });

  it('is refused with any part of it removed', () => {
    for (let from = 0; from < VKEY.length; from++) {
      for (let to = from + 1; to <= VKEY.length; to++) {
        const cut = VKEY.slice(0, from) + VKEY.slice(to);
        expect(() => parseNoteKey(cut), cut).toThrow(code('AUDIT_NOTE_INVALID'));
      }
    }
  });

  it('is refused with any of its characters replaced', () => {
    for (let at = 0; at < VKEY.length; at++) {
      const changed = VKEY.slice(0, at) + String.fromCharCode(VKEY.charCodeAt(at) + 1) + VKEY.slice(at + 1);
      expect(() => parseNoteKey(changed), changed).toThrow(code('AUDIT_NOTE_INVALID'));
    }
  });

  it.each(['', 'a b', 'a+b', 'a\u2003b', 'a\nb'])('can not have the name %j', (name) => {
    expect(() => createNoteKey(name, new Uint8Array(32))).toThrow(code('AUDIT_NOTE_INVALID'));
  });

  it('has another id for another name and for another kind of signature', () => {
    const ids = [
      createNoteKey('a', new Uint8Array(32)),
      createNoteKey('b', new Uint8Array(32)),
      createNoteKey('a', new Uint8Array(32), 'cosignature'),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });
});

describe('a signed note', () => {
  it('that openssl has signed is opened, and written again byte for byte', () => {
    expect(openNote(NOTE, [parseNoteKey(VKEY)]).text).toBe(TEXT);
    expect(openNote(Buffer.from(NOTE), [parseNoteKey(VKEY)]).text).toBe(TEXT);
    expect(formatNote(parseNote(NOTE))).toBe(NOTE);
  });

  it('of a witness tells when it was signed', () => {
    const { verified } = openNote(NOTE + COSIGNED, [parseNoteKey(VKEY), parseNoteKey(WITNESS)]);
    expect(verified.map(({ key, timestamp }) => [key.name, timestamp])).toEqual([
      ['audit/north', null],
      ['witness.example/w1', 1_767_225_600n],
    ]);
  });

  it('is refused with any part of it removed', () => {
    const keys = [parseNoteKey(VKEY)];
    for (let from = 0; from < NOTE.length; from++) {
      for (let to = from + 1; to <= NOTE.length; to++) {
        const cut = NOTE.slice(0, from) + NOTE.slice(to);
        expect(() => openNote(cut, keys), JSON.stringify(cut)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^AUDIT_(NOTE|SIGNATURE)_INVALID$/) }),
        );
      }
    }
  });

  it('is refused with any bit of it flipped, or its key is not known any more', () => {
    const keys = [parseNoteKey(VKEY)];
    const bytes = Buffer.from(NOTE);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => openNote(flipped, keys), `bit ${bit}`).toThrow();
    }
  });

  it('may carry signatures of unknown keys, also under the name or the id of a known one', () => {
    const known = makeTestKey('audit');
    const sameName = makeTestKey('audit');
    const line = known.line(TEXT);
    const sameId = line.replace('\u2014 audit ', '\u2014 other ');
    const note = `${TEXT}\n${sameName.line(TEXT)}${sameId}${line}`;
    expect(openNote(note, [known.key]).verified).toEqual([{ key: known.key, timestamp: null }]);
  });

  it('is refused where a signature of a known key does not verify, though another one does', () => {
    const [one, other] = [makeTestKey('one'), makeTestKey('other')];
    const note = `${TEXT}\n${one.line(TEXT)}${other.line('something else\n')}`;
    expect(() => openNote(note, [one.key, other.key])).toThrow(code('AUDIT_SIGNATURE_INVALID'));
    expect(openNote(note, [one.key]).text).toBe(TEXT);
  });

  it('is refused where no key that signed is known', () => {
    expect(() => openNote(NOTE, [])).toThrow(code('AUDIT_SIGNATURE_INVALID'));
    expect(() => openNote(NOTE, [makeTestKey('audit/north').key])).toThrow(code('AUDIT_SIGNATURE_INVALID'));
  });

  it('is refused where two trusted keys of one name and id differ', () => {
    const { key } = makeTestKey('audit/north');
    const twin = { ...key, id: parseNoteKey(VKEY).id };
    expect(() => openNote(NOTE, [parseNoteKey(VKEY), twin])).toThrow(code('AUDIT_SIGNATURE_INVALID'));
  });

  it('by a witness is not refused for its own key being that of a log', () => {
    const log = makeTestKey('log');
    const witness = makeTestKey('log', 'cosignature');
    const note = `${TEXT}\n${witness.line(TEXT)}`;
    expect(() => openNote(note, [log.key])).toThrow(code('AUDIT_SIGNATURE_INVALID'));
    expect(openNote(note, [witness.key]).verified).toHaveLength(1);
  });

  it('by a witness is refused with another time than it signed', () => {
    const witness = makeTestKey('w', 'cosignature');
    const bytes = Buffer.from(witness.line(TEXT).slice(4), 'base64');
    bytes.writeBigUInt64BE(bytes.readBigUInt64BE(4) + 1n, 4);
    const note = `${TEXT}\n\u2014 w ${bytes.toString('base64')}\n`;
    expect(() => openNote(note, [witness.key])).toThrow(code('AUDIT_SIGNATURE_INVALID'));
  });

  it.each([16, 100])('may have %d signatures', (count) => {
    const keys = Array.from({ length: count }, (_, i) => makeTestKey(`key${i}`));
    const note = `${TEXT}\n${keys.map((key) => key.line(TEXT)).join('')}`;
    expect(
      openNote(
        note,
        keys.map(({ key }) => key),
      ).verified,
    ).toHaveLength(count);
  });

  it('may have empty lines in its text: the last one is the end', () => {
    const { key, line } = makeTestKey('a');
    const text = 'one\n\n\ntwo\n';
    expect(openNote(`${text}\n${line(text)}`, [key]).text).toBe(text);
  });

  it.each([
    ['without signatures', TEXT],
    ['with an empty end', `${TEXT}\n`],
    ['without its last newline', NOTE.slice(0, -1)],
    ['with a hyphen for the dash', NOTE.replace('\u2014', '-')],
    ['with an en dash', NOTE.replace('\u2014', '\u2013')],
    ['with a line that is none', `${NOTE}more\n`],
    ['with a space in a name', `${NOTE}\u2014 Bad Name ${LINE.split(' ')[2]}`],
    ['with a carriage return', NOTE.replaceAll('\n', '\r\n')],
    ['with a tab', `\t${NOTE}`],
    ['with a control character', `\u0001${NOTE}`],
    ['with an id alone', `${NOTE}\u2014 short AAAAAA==\n`],
    ['with base64 that has bits left over', `${NOTE}\u2014 loose AAAAAAB=\n`],
    ['with base64 of another alphabet', `${NOTE}\u2014 url ${'_-'.repeat(4)}\n`],
    ['with a lone surrogate', `\ud800${NOTE}`],
    ['of more than a million bytes', `${'x'.repeat(1_000_000)}\n${NOTE}`],
    ['with more than a hundred signatures', NOTE + LINE.repeat(100)],
  ])('%s is none', (_, text) => {
    expect(() => parseNote(text)).toThrow(code('AUDIT_NOTE_INVALID'));
  });

  it('that is not UTF-8 is none', () => {
    const bytes = Buffer.concat([Buffer.from([0xff]), Buffer.from(NOTE)]);
    expect(() => parseNote(bytes)).toThrow(code('AUDIT_NOTE_INVALID'));
  });

  it('keeps the mark of byte order that its bytes begin with, for it was signed too', () => {
    const bytes = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(NOTE)]);
    expect(() => openNote(bytes, [parseNoteKey(VKEY)])).toThrow(code('AUDIT_SIGNATURE_INVALID'));
  });
});
