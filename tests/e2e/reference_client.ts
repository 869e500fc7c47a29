// The TypeScript example of the API reference, to the letter.
const API_BASE = 'https://routiq-backend-prod.up.railway.app';
const ORG_ID = 'org_2xwHiNrj68eaRUlX10anlXGvzX7';

class RoutiqAPI {
  constructor(private token: string) {}

  private async request(endpoint: string, options: RequestInit = {}) {
    const response = await fetch(`${API_BASE}${endpoint}`, {
      ...options,
      headers: {
        'Authorization': `Bearer ${this.token}`,
        'Content-Type': 'application/json',
        'X-Organization-ID': ORG_ID,
        ...options.headers,
      },
    });

    if (!response.ok) {
      throw new Error(`API Error: ${response.status} ${response.statusText}`);
    }

    return response.json();
  }

  async getDashboard() {
    return this.request(`/api/v1/dashboard/${ORG_ID}`);
  }

  async getPatients() {
    return this.request(`/api/v1/patients/${ORG_ID}/patients`);
  }

  async triggerSync() {
    return this.request(`/api/v1/cliniko/sync/${ORG_ID}?mode=comprehensive`, {
      method: 'POST',
    });
  }
}

// Usage
const api = new RoutiqAPI('your-jwt-token');
const dashboard = await api.getDashboard();
console.log(`Active patients: ${dashboard.summary.active_patients}`);
