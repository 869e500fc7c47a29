import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { behind, client, refusing } from "./surroundings.js";

test("pages follow each other without a gap or a repetition", async () => {
  const routiq = client();
  const whole = await routiq.get("/api/v1/patients/{organization_id}/patients", { query: { active: "all" } });
  const ids: string[] = [];
  for await (const patient of routiq.patients({ active: "all", limit: 7 })) ids.push(patient.id);
  assert.deepEqual(ids, whole.patients.map((patient) => patient.id));
  assert.equal(new Set(ids).size, whole.total_count);
  assert.ok(ids.length > 7);
});

test("a page is asked for when its first patient is needed, and no sooner", async () => {
  const requests: IncomingMessage[] = [];
  await behind(refusing(0, 503, {}, requests), async (base) => {
    const patients = client({ base }).patients({ active: "all", limit: 2 });
    const asked: number[] = [];
    for (let patient = 0; patient < 3; patient++) {
      assert.equal((await patients.next()).done, false);
      asked.push(requests.length);
    }
    assert.deepEqual(asked, [1, 1, 2]);
  });
});

test("an export is the whole list, a line each", async () => {
  const routiq = client();
  const { total_count } = await routiq.get("/api/v1/patients/{organization_id}/patients", { query: { active: "all", limit: 1 } });
  const text = await new Response(await routiq.export({ active: "all" })).text();
  const cells = text.split("\r\n").filter((line) => /^"?[0-9a-f]{8}-[0-9a-f-]{27}/.test(line));
  assert.equal(cells.length, total_count);
});
