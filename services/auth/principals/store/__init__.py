"""The only SQL of the wing."""
