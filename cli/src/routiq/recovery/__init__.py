"""The database copied to files, and made of them again: see docs/recovery.md."""
