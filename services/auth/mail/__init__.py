"""Addresses, and the letters that users get."""
