"""Who is calling: credentials resolved to principals, cached under a lease, dropped by the feed."""
