"""The guard: credentials resolved to principals, cached under a lease, dropped by the feed."""
