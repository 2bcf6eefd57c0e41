"""What token answers on the bus, and what it hears in the feed."""

from services.token.bus import signing_keys
from shared.contracts.subjects import SIGNING_KEYS
from shared.messaging.answers import Answers

MODULES = (signing_keys,)
"""The modules that declare requests."""

ANSWERS = Answers("token", [module.requests for module in MODULES])

FEED = {
    SIGNING_KEYS: signing_keys.forget_keyring,
}
"""What is done when an entry names a subject, or may have been missed."""
