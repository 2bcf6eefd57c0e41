"""Rules and values; no I/O."""
