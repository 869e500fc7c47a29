import { RoutiqError } from "./errors.js";

export interface Settings {
  /** Where the gateway is, such as `https://api.example.com`. */
  base: string;
  /** A session token that is valid now, or null where nobody is signed in; asked for at every attempt. */
  token: () => string | null | Promise<string | null>;
  organization: string;
  /** Attempts at one request, the first included. Default 4. */
  attempts?: number;
  /** The longest pause in seconds; a 429 that asks for a longer one is an error at once. Default 60. */
  patience?: number;
}

export interface Sending {
  method: string;
  accept: string;
  headers?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** Sends requests, and sends them again where that cannot do a thing twice. */
export class Connection {
  readonly #attempts: number;
  readonly #patience: number;

  constructor(private readonly settings: Settings) {
    this.#attempts = settings.attempts ?? 4;
    this.#patience = settings.patience ?? 60;
  }

  /** A success; throws RoutiqError, or what `fetch` throws when there is no answer or `signal` is aborted. */
  async send(url: URL, sending: Sending): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#once(url, sending);
      if (response.ok) return response;
      const error = await RoutiqError.of(response);
      const seconds = pauseAfter(error, sending.method, attempt);
      if (attempt >= this.#attempts || seconds > this.#patience) throw error;
      await pause(seconds, sending.signal);
    }
  }

  async #once(url: URL, { method, accept, headers, body, signal }: Sending): Promise<Response> {
    const token = await this.settings.token();
    if (!token) throw new RoutiqError(401, "Not signed in", "There is no session token, so nothing was sent.", null, null);
    const json = body === undefined ? {} : { "content-type": "application/json" };
    return fetch(url, {
      method,
      headers: {
        accept,
        authorization: `Bearer ${token}`,
        "x-organization-id": this.settings.organization,
        ...json,
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    });
  }
}

/** A 429 has done nothing yet. Only its `Retry-After` counts: on other answers it tells of the budget, not of the failure. */
function pauseAfter(error: RoutiqError, method: string, attempt: number): number {
  if (error.status === 429) return error.retryAfter ?? Infinity;
  return error.status === 503 && method === "get" ? Math.random() * 2 ** (attempt - 1) : Infinity;
}

/** Rejects with the signal's reason as soon as it is aborted. */
export async function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      signal?.aborted ? reject(signal.reason) : resolve();
    }
  });
}
