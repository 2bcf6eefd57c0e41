"""The modules that declare the endpoints of token."""

from services.token.http import jwks, jwts

MODULES = (jwts, jwks)
