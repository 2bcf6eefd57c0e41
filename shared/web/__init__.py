"""HTTP for all services: one declaration per endpoint, and everything that follows from it."""
