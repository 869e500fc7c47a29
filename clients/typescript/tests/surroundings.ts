/** The running gateway, and a front that stands between it and the client to be slow, busy or cut off. */
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Routiq, type Settings } from "../src/index.js";

export const base = environment("ROUTIQ_URL");
export const organization = environment("ROUTIQ_ORGANIZATION");
export const token = (): string => environment("ROUTIQ_TOKEN");

export function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const client = (changes: Partial<Settings> = {}): Routiq => new Routiq({ base, token, organization, ...changes });

/** Answers itself, or passes on to the gateway. */
export type Front = (incoming: IncomingMessage, outgoing: ServerResponse, pass: () => void) => void;

/** The address of a front while `use` goes on. */
export async function behind(front: Front, use: (address: string) => Promise<void>): Promise<void> {
  const server = createServer((incoming, outgoing) => front(incoming, outgoing, () => pass(incoming, outgoing)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers } = incoming;
  const onward = request(`${base}${incoming.url}`, { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}

/** Refuses the first requests with this status, then passes on. `seen` grows with every request. */
export function refusing(times: number, status: number, headers: Record<string, string>, seen: IncomingMessage[]): Front {
  return (incoming, outgoing, pass) => {
    if (seen.push(incoming) > times) return pass();
    outgoing.writeHead(status, { "content-type": "application/json", ...headers });
    outgoing.end(JSON.stringify({ error: "Busy", detail: "Later." }));
  };
}
