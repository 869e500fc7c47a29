export { Routiq } from "./client.js";
export type { Settings } from "./connection.js";
export { RoutiqError } from "./errors.js";
export type { Answer, Method, Options, Path, Schemas } from "./operations.js";
