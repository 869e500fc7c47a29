"""`/openapi.json`, and the pages that show it: `/docs` (Swagger UI) and `/redoc`."""
