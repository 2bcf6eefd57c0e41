"""Passwords: the hashes that Daypass makes and those that it can read, and the threads that compute them."""
