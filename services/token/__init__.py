"""Proof of identity.

Owns: signing keys, minting of JWTs, JWKS, introspection.
Publishes: the retirement of a signing key, in the feed (through auth's outbox).
Consumes: entries of the feed about `signing_keys`, on which it reads them again.
Answers services: `keys.get`.
Answers the command line: `signing_key.list`, `signing_key.rotate`, `signing_key.retire`, `signing_key.reseal`.
"""
