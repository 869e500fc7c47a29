import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import type { Schemas } from "../src/index.js";
import { behind, client, type Front } from "./surroundings.js";

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

/** Passes on, but never ends the stream: only the client can have closed it. A silent one keeps its states to itself. */
function held(told: EventEmitter, silent?: "silent"): Front {
  return (_, outgoing, pass) => {
    const write = outgoing.write.bind(outgoing) as (chunk: Buffer) => boolean;
    outgoing.write = ((chunk: Buffer) => {
      outgoing.flushHeaders();
      told.emit("opened");
      return silent !== undefined || write(chunk);
    }) as typeof outgoing.write;
    outgoing.end = () => outgoing;
    outgoing.on("close", () => told.emit("closed"));
    pass();
  };
}

test("a run is followed to its end", { timeout: 120_000 }, async () => {
  const states: Progress[] = [];
  for await (const state of client().progress(await started())) states.push(state);
  ended(states);
});

test("a stream that breaks off is taken up where it was", { timeout: 120_000 }, async () => {
  let seen: IncomingMessage[];
  do {
    seen = await brokenOff(); // once more where the run was over before anybody looked: such a stream has one state
  } while (seen.length === 1);
  assert.equal(seen[0]?.headers["last-event-id"], undefined);
  assert.ok(seen[1]?.headers["last-event-id"]);
});

/** A run followed to its end over a connection that is lost as soon as its first state has come. */
async function brokenOff(): Promise<IncomingMessage[]> {
  const seen: IncomingMessage[] = [];
  const answers: ServerResponse[] = [];
  const sync_id = await started();
  const front: Front = (incoming, outgoing, pass) => {
    seen.push(incoming);
    answers.push(outgoing);
    pass();
  };
  await behind(front, async (base) => {
    const states: Progress[] = [];
    for await (const state of client({ base }).progress(sync_id)) if (states.push(state) === 1) answers[0]?.destroy();
    ended(states);
  });
  return seen;
}

test("a stream that breaks off again and again is an error at the fifth time", { timeout: 60_000 }, async () => {
  let requests = 0;
  let first: ServerResponse | undefined;
  const broken: Front = (_, outgoing) => {
    if (++requests > 1) return void outgoing.destroy();
    first = outgoing;
    outgoing.writeHead(200, { "content-type": "text/event-stream" }).write("retry: 1\nid: one\ndata: {}\n\n");
  };
  await behind(broken, async (base) => {
    const states = client({ base }).progress("sync_any");
    assert.equal((await states.next()).done, false);
    first?.destroy();
    await assert.rejects(states.next(), { name: "TypeError" });
  });
  assert.equal(requests, 5);
});

test("what is no stream of events is an error at once, though it is a success", async () => {
  const seen: IncomingMessage[] = [];
  const page: Front = (incoming, outgoing) => {
    seen.push(incoming);
    outgoing.writeHead(200, { "content-type": "text/html" }).end("<html>");
  };
  await behind(page, async (base) => {
    const error = { name: "RoutiqError", status: 200, title: "Unexpected answer" };
    await assert.rejects(client({ base }).progress("sync_any", AbortSignal.timeout(20_000)).next(), error);
  });
  assert.equal(seen.length, 1);
});

test("who looks away closes the stream", { timeout: 60_000 }, async () => {
  const sync_id = await started();
  const told = new EventEmitter();
  const closed = once(told, "closed");
  await behind(held(told), async (base) => {
    for await (const _ of client({ base }).progress(sync_id)) break;
    await closed;
  });
});

test("an aborted one ends while it waits, and closes the stream", { timeout: 60_000 }, async () => {
  const sync_id = await started();
  const told = new EventEmitter();
  const [opened, closed] = [once(told, "opened"), once(told, "closed")];
  const controller = new AbortController();
  await behind(held(told, "silent"), async (base) => {
    const waiting = assert.rejects(client({ base }).progress(sync_id, controller.signal).next(), { name: "AbortError" });
    await opened;
    controller.abort();
    await Promise.all([waiting, closed]);
  });
});

test("a run that is not there is an error, not a wait", async () => {
  await assert.rejects(client().progress("sync_none").next(), { name: "RoutiqError", status: 404 });
});
