"""Benchmarks: `make bench`. Every figure is a ratio of runs interleaved in one session, since machines are noisy."""
