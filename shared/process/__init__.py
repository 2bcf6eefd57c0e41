"""What starts, checks and watches a process of ours: settings, preflight, health, metrics, and its HTTP server."""
