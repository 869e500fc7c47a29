import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { RoutiqError } from "../src/index.js";
import { behind, client, environment, organization, refusing, token } from "./surroundings.js";

const DASHBOARD = "/api/v1/dashboard/{organization_id}";

function refused(status: number): (error: unknown) => boolean {
  return (error) => error instanceof RoutiqError && error.status === status && error.requestId !== null;
}

test("an operation answers with what the document says", async () => {
  const { summary, recent_activity } = await client().get(DASHBOARD, { query: { activity_limit: 1 } });
  assert.equal(summary.organization_id, organization);
  assert.ok(summary.active_patients > 0);
  assert.equal(recent_activity.length, 1);
});

test("a path's parameters may hold any character", async () => {
  const path = "/api/v1/patients/{organization_id}/patients/by-appointment-type/{appointment_type}";
  const answer = await client().get(path, { path: { appointment_type: "Physio / Rehab ä?#" } });
  assert.equal(answer.total_count, 0);
});

test("a refusal tells what, why, and which request it was", async () => {
  await assert.rejects(client().get("/api/v1/sync/progress/{sync_id}", { path: { sync_id: "sync_none" } }), (error) => {
    assert.ok(error instanceof RoutiqError);
    assert.equal(error.status, 404);
    assert.equal(error.title, "Not found");
    assert.match(error.requestId ?? "", /^[0-9a-f-]{32,36}$/);
    assert.equal(error.retryAfter, null);
    return true;
  });
});

test("a refusal that is no JSON is one all the same", async () => {
  const front = (_: IncomingMessage, outgoing: ServerResponse) => void outgoing.writeHead(502).end("<html>");
  await behind(front, async (base) => {
    await assert.rejects(client({ base }).get(DASHBOARD), { name: "RoutiqError", status: 502, title: "Bad Gateway" });
  });
});

test("the token is asked for at every attempt: one that went stale in between does no harm", async () => {
  const tokens = ["stale", environment("ROUTIQ_TOKEN")];
  const seen: IncomingMessage[] = [];
  await behind(refusing(1, 429, { "retry-after": "0" }, seen), async (base) => {
    await client({ base, token: async () => tokens.shift() ?? null }).get(DASHBOARD);
  });
  assert.deepEqual(seen.map((request) => request.headers.authorization), ["Bearer stale", `Bearer ${token()}`]);
});

test("a bad token is refused", async () => {
  await assert.rejects(client({ token: () => "stale" }).get(DASHBOARD), refused(401));
});

test("without a token nothing is sent", async () => {
  const seen: IncomingMessage[] = [];
  await behind(refusing(0, 503, {}, seen), async (base) => {
    const routiq = client({ base, token: async () => null });
    const error = { name: "RoutiqError", status: 401, title: "Not signed in", requestId: null };
    await assert.rejects(routiq.get(DASHBOARD), error);
    await assert.rejects(routiq.progress("sync_none").next(), error);
  });
  assert.equal(seen.length, 0);
});

test("a busy gateway is asked again after the time it names", async () => {
  const seen: IncomingMessage[] = [];
  const front = refusing(1, 429, { "retry-after": "1" }, seen);
  await behind(front, async (base) => {
    const begun = performance.now();
    const path = "/api/v1/sync/schedule/{organization_id}/resume";
    const answer = await client({ base }).post(path);
    assert.equal(answer.organization_id, organization);
    assert.ok(performance.now() - begun >= 990);
  });
  assert.equal(seen.length, 2);
});

test("attempts are bounded", async () => {
  const seen: IncomingMessage[] = [];
  await behind(refusing(9, 429, { "retry-after": "0" }, seen), async (base) => {
    await assert.rejects(client({ base, attempts: 3 }).get(DASHBOARD), { status: 429, retryAfter: 0 });
  });
  assert.equal(seen.length, 3);
});

test("the gateway's own limit is longer than anybody waits: an error that says when there is a new budget", async () => {
  const routiq = client({ organization: "org_nobody", token: () => environment("ROUTIQ_SPENDABLE_TOKEN") });
  const spend = async () => {
    for (let request = 0; request <= 100; request++) await routiq.get("/api/v1/sync/scheduler/status");
  };
  await assert.rejects(spend, (error) => {
    assert.ok(error instanceof RoutiqError && error.status === 429);
    assert.ok(error.retryAfter !== null && error.retryAfter > 60 && error.retryAfter <= 900);
    return true;
  });
});

test("a service that is away is asked again, for what only reads", async () => {
  const seen: IncomingMessage[] = [];
  const front = refusing(1, 503, { "retry-after": "900" }, seen);
  await behind(front, async (base) => {
    await client({ base }).get(DASHBOARD);
    assert.equal(seen.length, 2);
    seen.length = 0;
    await assert.rejects(client({ base }).post("/api/v1/sync/trigger"), { status: 503, retryAfter: null });
    assert.equal(seen.length, 1);
  });
});

test("waiting ends at once when it is aborted", { timeout: 20_000 }, async () => {
  await behind(refusing(9, 429, { "retry-after": "50" }, []), async (base) => {
    const asked = client({ base }).get(DASHBOARD, { signal: AbortSignal.timeout(200) });
    await assert.rejects(asked, { name: "TimeoutError" });
  });
});
