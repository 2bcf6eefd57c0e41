"""Proof of identity.

Owns: signing keys, minting of JWTs, JWKS, introspection.
Publishes: the retirement of a signing key, in the feed (through auth's outbox).
Consumes: nothing.
Answers: `keys.get`; and the signing-key requests of the command line.
"""
