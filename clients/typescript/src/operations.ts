/** What can be asked, read from the generated schema: a path that is not there, or a field misspelt, does not compile. */
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type Method = "get" | "put" | "post" | "delete";
export type Path<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: object } ? P : never }[keyof paths];

type Operation<M extends Method, P extends Path<M>> = paths[P][M];
type Content<O> = O extends { responses: { 200: { content: infer C } } } ? C : never;
type Parameters<O> = O extends { parameters: infer A } ? A : never;
type Named<O> = Parameters<O> extends { path: infer N } ? Omit<N, "organization_id"> : object;
type Query<O> = Parameters<O> extends { query?: infer Q } ? NonNullable<Q> : object;
type Body<O> = O extends { requestBody: { content: { "application/json": infer B } } } ? B : never;
/** Required where there is something to give. */
type Given<Name extends string, T> = [T] extends [never] ? object : object extends T ? { [N in Name]?: T } : { [N in Name]: T };

/** The JSON that an operation answers with. */
export type Answer<M extends Method, P extends Path<M>> =
  Content<Operation<M, P>> extends { "application/json": infer A } ? A : never;

/** What an operation has to be told; the organization of its path is the client's. */
export type Options<M extends Method, P extends Path<M>> = Given<"path", Named<Operation<M, P>>> &
  Given<"query", Query<Operation<M, P>>> &
  Given<"body", Body<Operation<M, P>>> & { signal?: AbortSignal };

/** The options may be left out where none is required. */
export type Arguments<M extends Method, P extends Path<M>> =
  object extends Options<M, P> ? [options?: Options<M, P>] : [options: Options<M, P>];
