import type { Schemas } from "./operations.js";

/** An answer that is not a success, or that there was no token to ask with. Its message is for people and names nobody's data. */
export class RoutiqError extends Error {
  override readonly name = "RoutiqError";

  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    /** To find this request in the logs with; null where it never came to the gateway. */
    readonly requestId: string | null,
    /** Of a 429: seconds until there is a new budget. */
    readonly retryAfter: number | null,
  ) {
    super(`${status} ${title}: ${detail}`);
  }

  static async of(response: Response): Promise<RoutiqError> {
    const { error, detail } = await envelope(response);
    const seconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
    const retryAfter = response.status === 429 && seconds >= 0 ? seconds : null;
    return new RoutiqError(response.status, error, detail, response.headers.get("x-request-id"), retryAfter);
  }

  /** An answer of another kind than was asked for, such as the page that a frontend's own server gives for every path. */
  static unexpected(response: Response, wanted: string): RoutiqError {
    const detail = `${wanted} was asked for, ${response.headers.get("content-type") ?? "nothing"} came. Is \`base\` the gateway?`;
    return new RoutiqError(response.status, "Unexpected answer", detail, response.headers.get("x-request-id"), null);
  }
}

/** A proxy on the way may answer with something else. */
async function envelope(response: Response): Promise<Pick<Schemas["Error"], "error" | "detail">> {
  const { error, detail } = await response.json().catch(() => ({}));
  return { error: String(error ?? response.statusText), detail: String(detail ?? "No reason was given.") };
}
