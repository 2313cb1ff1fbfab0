"""The resolution of parties: who in one source is who in another, as an append-only log of events."""
