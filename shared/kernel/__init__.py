"""Ids, clocks, errors and settings: the standard library only."""
