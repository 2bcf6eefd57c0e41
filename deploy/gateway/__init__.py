"""HAProxy, configured: it routes by path."""
