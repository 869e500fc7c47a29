"""How the gateway reaches out: to Clerk and to the services."""
