import type { Token } from '../tokenize.js';
import { foldIdentifier } from './postgres-tokens.js';
import type { NamedTable, Span } from './write-shape.js';

/** Goes through the tokens of one statement. */
export class TokenCursor {
  protected at = 0;

  constructor(
    protected readonly sql: string,
    protected readonly tokens: readonly Token[],
  ) {}

  protected punctuation(at: number): string {
    const token = this.tokens[at];
    return token?.kind === 'punctuation' ? token.text : '';
  }

  protected namesInParentheses(): readonly string[] {
    const names: string[] = [];
    this.at += 1;
    while (this.at < this.tokens.length && this.text() !== ')') {
      const name = this.name();
      if (name === undefined) this.at += 1;
      else names.push(name);
    }
    this.at += 1;
    return names;
  }

  /** The first token from `from` on, outside of parentheses, of which `is` holds; else the number of tokens. */
  protected find(from: number, is: (at: number) => boolean): number {
    let depth = 0;
    for (let at = from; at < this.tokens.length; at += 1) {
      const token = this.tokens[at];
      if (depth === 0 && is(at)) return at;
      if (token?.kind !== 'punctuation') continue;
      if (token.text === '(' || token.text === '[') depth += 1;
      if (token.text === ')' || token.text === ']') depth -= 1;
    }
    return this.tokens.length;
  }

  protected table(): (NamedTable & { readonly written: string }) | undefined {
    let schema: string | null = null;
    for (;;) {
      const token = this.tokens[this.at];
      const name = this.name();
      if (token === undefined || name === undefined) return undefined;
      if (this.text() !== '.') return { schema, name, written: this.sql.slice(token.start, token.end) };
      this.at += 1;
      schema = name;
    }
  }

  protected alias(): string | undefined {
    if (this.word() === 'AS') this.at += 1;
    const token = this.tokens[this.at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    this.at += 1;
    return this.sql.slice(token.start, token.end);
  }

  protected name(): string | undefined {
    const token = this.tokens[this.at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    this.at += 1;
    return token.kind === 'quoted' ? token.text : foldIdentifier(token.text);
  }

  protected since(from: number): Span {
    return { start: this.tokens[from]?.start ?? 0, end: this.tokens[this.at - 1]?.end ?? 0 };
  }

  protected word(ahead = 0): string {
    return this.wordAt(this.at + ahead);
  }

  protected wordAt(at: number): string {
    const token = this.tokens[at];
    return token?.kind === 'word' ? token.text.toUpperCase() : '';
  }

  protected text(): string {
    const token = this.tokens[this.at];
    return token?.kind === 'punctuation' ? token.text : '';
  }
}
