"""Revocations: a change that takes rights away, the end of all of a user's credentials, and records of both."""
