"""`/_control`: for tests and demos, no part of Cliniko. Steers the emulator while it runs."""
