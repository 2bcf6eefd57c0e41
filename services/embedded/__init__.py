"""The embedded topology: everything in one process, on PostgreSQL and Valkey from their wheels.

It owns a data directory, the two parts as children that never outlive it, and the sockets between them. The three
services run in it unchanged: they meet only on Redis Streams, here as anywhere.
"""
