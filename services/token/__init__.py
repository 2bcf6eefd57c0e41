"""Proof of identity.

Owns: signing keys, minting of JWTs, JWKS, introspection.
Says: the retirement of a signing key, in the feed (through auth's outbox).
Hears: `keys.get` and the signing-key requests of the command line.
"""
