"""What the emulator may be told to do to its clients: where it applies, how often, and what happens."""
