"""The modules that declare the endpoints of storage."""

from services.storage.http import buckets, files

MODULES = (buckets, files)
