"""Servers that run privately for one checkout, when no address of a shared one is given."""
