"""Projects, their API keys and their platforms."""
