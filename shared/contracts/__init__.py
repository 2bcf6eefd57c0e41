"""What services tell each other: events, requests, principals, claims, the permission grammar. No I/O."""
