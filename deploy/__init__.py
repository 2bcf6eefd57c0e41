"""Daypass in containers: images, secrets, the gateway, and `python -m deploy` that puts them together."""
