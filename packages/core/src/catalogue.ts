import { BUILT_IN_ACTIONS, type BuiltInActions } from './built-in-actions.js';
import { CATEGORIES, type Category } from './event.js';
import type { StandardSchema } from './standard-schema.js';

/** One action of a catalogue. */
export interface ActionDefinition {
  readonly category: Category;
  /** Checks the details, and replaces them by what it returns; any Standard Schema validator. @default any object */
  readonly details?: StandardSchema;
}

export type ActionDefinitions = Readonly<Record<string, ActionDefinition>>;

/** The built-in actions and those of an application, whose own come first where both name one. */
export type KnownActions<D extends ActionDefinitions> = Omit<BuiltInActions, keyof D> & D;

/** The actions that an audit knows: the built-in ones and the application's. */
export interface Catalogue<D extends ActionDefinitions = ActionDefinitions> {
  readonly actions: KnownActions<D>;
  /** True: an action that is not in the catalogue is refused. Row changes pass always. */
  readonly closed: boolean;
  tryGet(action: string): ActionDefinition | undefined;
}

const ACTION_NAME = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/;

/**
 * Makes a catalogue of the built-in actions and further ones, `resource.verb` in snake_case. A built-in action that is
 * named again is replaced.
 *
 * @throws TypeError for a name or a definition of the wrong form
 * @example
 * const actions = defineActions({
 *   'invoice.exported': { category: 'data', details: z.object({ format: z.enum(['pdf', 'csv']) }) },
 * });
 */
export function defineActions<const D extends ActionDefinitions>(
  definitions: D,
  options: { readonly closed?: boolean } = {},
): Catalogue<D> {
  const byName = new Map<string, ActionDefinition>(Object.entries(BUILT_IN_ACTIONS));
  for (const [name, definition] of Object.entries(definitions)) {
    if (!ACTION_NAME.test(name) || name.length > 200) {
      throw new TypeError(
        `[indelible/core] defineActions(): ${JSON.stringify(name.slice(0, 200))} is no \`resource.verb\` in snake_case.`,
      );
    }
    if (!CATEGORIES.includes(definition?.category)) {
      throw new TypeError(
        `[indelible/core] defineActions(): the category of ${name} takes one of ${CATEGORIES.join(', ')}.`,
      );
    }
    if (
      definition.details !== undefined &&
      typeof definition.details?.['~standard']?.validate !== 'function'
    ) {
      throw new TypeError(
        `[indelible/core] defineActions(): the details of ${name} take a Standard Schema validator.`,
      );
    }
    byName.set(name, Object.freeze({ ...definition }));
  }
  return Object.freeze({
    actions: Object.freeze({ ...BUILT_IN_ACTIONS, ...definitions }),
    closed: options.closed ?? false,
    tryGet: (action: string) => byName.get(action),
  });
}
