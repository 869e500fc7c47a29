import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import type { Schemas } from "../src/index.js";
import { behind, client } from "./surroundings.js";

type Progress = Schemas["SyncProgress"];

async function started(): Promise<string> {
  return (await client().post("/api/v1/cliniko/sync/{organization_id}", { query: { mode: "patients-only" } })).sync_id;
}

function ended(states: Progress[]): void {
  const percentages = states.map((state) => state.progress_percentage);
  assert.deepEqual(percentages, [...percentages].sort((one, other) => one - other));
  assert.equal(states.at(-1)?.status, "completed");
  assert.equal(percentages.at(-1), 100);
  assert.ok(states.slice(0, -1).every((state) => state.status === "queued" || state.status === "running"));
}

test("a run is followed to its end", { timeout: 120_000 }, async () => {
  const states: Progress[] = [];
  for await (const state of client().progress(await started())) states.push(state);
  ended(states);
});

test("a stream that breaks off is taken up where it was", { timeout: 120_000 }, async () => {
  const seen: IncomingMessage[] = [];
  const sync_id = await started();
  await behind(
    (incoming, outgoing, pass) => {
      const first = seen.push(incoming) === 1;
      if (first) {
        const write = outgoing.write.bind(outgoing) as (chunk: Buffer) => boolean;
        outgoing.write = ((chunk: Buffer) => {
          const written = write(chunk);
          setTimeout(() => outgoing.destroy(), 50);
          return written;
        }) as typeof outgoing.write;
      }
      pass();
    },
    async (base) => {
      const states: Progress[] = [];
      for await (const state of client({ base }).progress(sync_id)) states.push(state);
      ended(states);
    },
  );
  assert.ok(seen.length >= 2);
  assert.equal(seen[0]?.headers["last-event-id"], undefined);
  assert.ok(seen[1]?.headers["last-event-id"]);
});

test("who looks away closes the stream, and an aborted one ends", { timeout: 120_000 }, async () => {
  const sync_id = await started();
  for await (const _ of client().progress(sync_id)) break;
  const controller = new AbortController();
  const looking = async () => {
    for await (const _ of client().progress(sync_id, controller.signal)) controller.abort();
  };
  await looking().catch((error: unknown) => assert.equal((error as Error).name, "AbortError"));
  for await (const _ of client().progress(sync_id)) continue;
});

test("a run that is not there is an error, not a wait", async () => {
  await assert.rejects(client().progress("sync_none").next(), { name: "RoutiqError", status: 404 });
});
