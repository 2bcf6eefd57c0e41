"""The modules that declare the endpoints of storage."""

from services.storage.http import buckets

MODULES = (buckets,)
