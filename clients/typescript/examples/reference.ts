/** The example of the API reference with this client: the same class, the same use. */
import { Routiq } from "../src/index.js";

const API_BASE = 'https://routiq-backend-prod.up.railway.app';
const ORG_ID = 'org_2xwHiNrj68eaRUlX10anlXGvzX7';

class RoutiqAPI {
  private readonly routiq: Routiq;

  constructor(token: string) {
    this.routiq = new Routiq({ base: API_BASE, organization: ORG_ID, token: () => token });
  }

  async getDashboard() {
    return this.routiq.get("/api/v1/dashboard/{organization_id}");
  }

  async getPatients() {
    return this.routiq.get("/api/v1/patients/{organization_id}/patients");
  }

  async triggerSync() {
    return this.routiq.post("/api/v1/cliniko/sync/{organization_id}", { query: { mode: "comprehensive" } });
  }
}

// Usage
const api = new RoutiqAPI('your-jwt-token');
const dashboard = await api.getDashboard();
console.log(`Active patients: ${dashboard.summary.active_patients}`);
