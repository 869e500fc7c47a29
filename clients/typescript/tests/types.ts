/** Compiled, never run: what is wrong must not compile, and every expectation that is not met fails the build. */
import { client } from "./surroundings.js";

const LIST = "/api/v1/patients/{organization_id}/patients";

/** What Clerk's `session` has. */
declare const session: { getToken(): Promise<string | null> };

export const signedIn = () => client({ token: () => session.getToken() });

export async function misspelt(): Promise<void> {
  const routiq = client();
  const { summary } = await routiq.get("/api/v1/dashboard/{organization_id}");
  summary.active_patients satisfies number;
  // @ts-expect-error no such field
  summary.active_patient;
  // @ts-expect-error a field of another type
  summary.active_patients satisfies string;
  // @ts-expect-error no such path
  await routiq.get("/api/v1/dashboards/{organization_id}");
  // @ts-expect-error a path that is only read
  await routiq.post(LIST);
  // @ts-expect-error no such query parameter
  await routiq.get(LIST, { query: { serach: "quinn" } });
  // @ts-expect-error no such value
  await routiq.get(LIST, { query: { active: "yes" } });
  // @ts-expect-error the run is not named
  await routiq.get("/api/v1/sync/progress/{sync_id}");
  // @ts-expect-error the body is missing
  await routiq.request("put", "/api/v1/cliniko/connection/{organization_id}");
  // @ts-expect-error pages are the client's own matter
  routiq.patients({ cursor: "x" });
  for await (const patient of routiq.patients({ search: "quinn" })) {
    patient.next_appointment_time satisfies string | null;
    // @ts-expect-error no such field
    patient.surname;
  }
}
