import type { Audit, Recorded, RecordOptions } from './audit.js';
import type { ActionDefinitions, Catalogue, KnownActions } from './catalogue.js';
import type { EventInput } from './event.js';
import type { SchemaInput } from './standard-schema.js';

/** What `record(action, event)` takes for one action: an event without its action, its details as the schema takes them. */
export type ActionEvent<Definition> = Omit<EventInput, 'action' | 'category' | 'details'> &
  (Definition extends { readonly details: infer S }
    ? { readonly details: SchemaInput<S> }
    : { readonly details?: Readonly<Record<string, unknown>> });

/** The arguments after the action: the event may be left out where the action has no schema. */
export type ActionArguments<Definition> = Definition extends { readonly details: unknown }
  ? [event: ActionEvent<Definition>, options?: RecordOptions]
  : [event?: ActionEvent<Definition>, options?: RecordOptions];

/** `record` as it is typed by a catalogue; a whole event goes through it too. */
export interface TypedRecord<D extends ActionDefinitions> {
  <A extends keyof KnownActions<D> & string>(
    action: A,
    ...rest: ActionArguments<KnownActions<D>[A]>
  ): Promise<Recorded>;
  (input: EventInput, options?: RecordOptions): Promise<Recorded>;
}

/** An audit whose `record` knows the actions of a catalogue. */
export type TypedAudit<D extends ActionDefinitions> = Omit<Audit, 'record'> & {
  readonly record: TypedRecord<D>;
};

/** The definitions of a catalogue. */
export type DefinitionsOf<C> = C extends Catalogue<infer D> ? D : never;

/**
 * Types the `record` of an audit by a catalogue. Which schema checks the details is up to the audit's own catalogue.
 *
 * @example
 * const record = createTypedRecord<typeof actions>((input, options) => audit.record(input, options));
 * await record('invoice.exported', { resource: { type: 'Invoice', id: '7' }, details: { format: 'pdf' } });
 */
export function createTypedRecord<C extends Catalogue>(
  record: (input: EventInput, options?: RecordOptions) => Promise<Recorded>,
): TypedRecord<DefinitionsOf<C>> {
  return (first: string | EventInput, second?: object, third?: RecordOptions): Promise<Recorded> =>
    typeof first === 'string' ? record({ ...second, action: first }, third) : record(first, second);
}
