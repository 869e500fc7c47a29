import { RoutiqError } from "./errors.js";

export const EVENTS = "text/event-stream";

/** A server-sent event. */
export interface ServerEvent {
  name: string;
  data: string;
  id: string;
  /** Seconds to wait before coming back, when the server has said so. */
  retry: number | null;
}

/** The events of a stream, as far as it goes; one that was cut off is not told of. Throws where the answer is no such stream. */
export async function* events(response: Response): AsyncGenerator<ServerEvent> {
  if (!response.body || !response.headers.get("content-type")?.startsWith(EVENTS)) {
    await response.body?.cancel();
    throw RoutiqError.unexpected(response, EVENTS);
  }
  for await (const block of blocks(response.body)) {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) fields.set(name, fields.has(name) ? `${fields.get(name)}\n${value}` : value);
    }
    const retry = fields.get("retry");
    if (fields.has("data"))
      yield {
        name: fields.get("event") ?? "message",
        data: fields.get("data") ?? "",
        id: fields.get("id") ?? "",
        retry: retry === undefined ? null : Number(retry) / 1000,
      };
  }
}

/** What stands between empty lines. */
async function* blocks(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    let text = "";
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const parts = (text + decoder.decode(read.value, { stream: true })).split("\n\n");
      text = parts.pop() ?? "";
      yield* parts;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
