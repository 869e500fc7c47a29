"""What is true at the door: routes, claims, organizations, limits."""
