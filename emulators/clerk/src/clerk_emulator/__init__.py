"""Clerk's JWKS and session tokens, made locally."""
