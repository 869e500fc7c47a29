"""A synthetic Cliniko over real HTTP: seeded clinics, the documented API v1, and a control endpoint for tests."""
