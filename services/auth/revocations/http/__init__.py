"""HTTP: what the answers of a revoking change have in common."""
