"""The modules that declare the endpoints of data; `legacy` declares its twins of the others."""

from services.data.http import legacy

MODULES = (*legacy.MODULES, legacy)
