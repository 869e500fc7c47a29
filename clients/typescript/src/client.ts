import { Connection, pause, type Sending, type Settings } from "./connection.js";
import { RoutiqError } from "./errors.js";
import { EVENTS, events } from "./events.js";
import type { Answer, Arguments, Method, Options, Path, Schemas } from "./operations.js";

const LIST = "/api/v1/patients/{organization_id}/patients";
const STREAM = "/api/v1/sync/progress/{sync_id}/stream";
const MOST_FAILURES = 5;

type Search = Omit<NonNullable<Options<"get", typeof LIST>["query"]>, "cursor">;
type Patient = Answer<"get", typeof LIST>["patients"][number];
type Progress = Schemas["SyncProgress"];
type Values = Record<string, unknown>;
type Loose = { path?: Values; query?: Values; body?: unknown; signal?: AbortSignal };

/** One organization's side of the API. */
export class Routiq {
  readonly #connection: Connection;

  constructor(private readonly settings: Settings) {
    this.#connection = new Connection(settings);
  }

  /** Any operation of the API, by the method and the path that the document gives it. */
  async request<M extends Method, P extends Path<M>>(method: M, path: P, ...[options]: Arguments<M, P>): Promise<Answer<M, P>> {
    const { body, signal, ...address } = (options ?? {}) as Loose;
    const response = await this.#send(path, address, { method, accept: "application/json", body, signal });
    return response.json() as Promise<Answer<M, P>>;
  }

  get<P extends Path<"get">>(path: P, ...options: Arguments<"get", P>): Promise<Answer<"get", P>> {
    return this.request("get", path, ...options);
  }

  post<P extends Path<"post">>(path: P, ...options: Arguments<"post", P>): Promise<Answer<"post", P>> {
    return this.request("post", path, ...options);
  }

  /** Every patient of the list in its order; the next page is fetched when it is needed. */
  async *patients(search: Search = {}, signal?: AbortSignal): AsyncGenerator<Patient> {
    let cursor: string | null = null;
    do {
      const query: Values = { ...search, cursor: cursor ?? undefined };
      const response = await this.#send(LIST, { query }, { method: "get", accept: "application/json", signal });
      const page = (await response.json()) as Answer<"get", typeof LIST>;
      yield* page.patients;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /** The whole list as CSV, while it is read. A transfer that breaks off makes reading fail. */
  async export(search: Omit<Search, "limit"> = {}, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#send(LIST, { query: search }, { method: "get", accept: "text/csv", signal });
    return response.body ?? new ReadableStream();
  }

  /** A run's states as they change, the last one when it has ended. Comes back by itself where the stream breaks off. */
  async *progress(sync_id: string, signal?: AbortSignal): AsyncGenerator<Progress> {
    let seen = "", seconds = 2, failures = 0;
    for (;;) {
      try {
        const headers: Record<string, string> = seen ? { "last-event-id": seen } : {};
        const sending = { method: "get", accept: EVENTS, headers, signal };
        const response = await this.#send(STREAM, { path: { sync_id } }, sending);
        if (response.status === 204) return;
        for await (const event of events(response)) {
          [seen, seconds, failures] = [event.id, event.retry ?? seconds, 0];
          yield JSON.parse(event.data) as Progress;
          if (event.name === "end") return;
        }
      } catch (error) {
        if (signal?.aborted || (error instanceof RoutiqError && error.status < 500) || ++failures >= MOST_FAILURES) throw error;
      }
      await pause(seconds, signal);
    }
  }

  #send(path: string, { path: named, query }: Loose, sending: Sending): Promise<Response> {
    const values: Values = { organization_id: this.settings.organization, ...named };
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
    const url = new URL(this.settings.base.replace(/\/$/, "") + filled);
    for (const [name, value] of Object.entries(query ?? {}))
      for (const one of [value].flat()) if (one !== undefined && one !== null) url.searchParams.append(name, String(one));
    return this.#connection.send(url, sending);
  }
}
