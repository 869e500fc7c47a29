"""How a Routiq service runs: one transaction an entry, outbox and inbox, identity, errors, logs, health."""
