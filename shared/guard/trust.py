"""Trust in Redis: may a replica's absence from the registry be believed?

A Redis that was restarted empty or from an old file, flushed, or replaced by a copy that lagged, has forgotten
registrations of replicas whose leases still run. So an absence counts only in a Redis that has been the same for
REGISTRATION on this process's own clock: by then every lease that the forgotten registrations stood for is over.
"""

import asyncio
from collections.abc import Awaitable, Callable

from shared.guard.feed_reader import REGISTRATION_S
from shared.kernel.clock import boot_clock

Identity = tuple[bytes, ...]
"""`run_id`, `master_replid` and what auth writes: an id, the stream and the mark of each registry. It changes where
something is lost."""


Keep = Callable[[str], Awaitable[str]]
"""Writes an identity down, and returns the one that stands in the end."""


class Trust:
    """What one process knows of the Redis it sees.

    `trusted` is an identity that may be believed at once: the database keeps the last one, so that a restart of this
    process makes no caller wait. None: no process has ever trusted one, so nothing can be cached anywhere, and
    the first that is seen may be believed. `keep_first` stores that one if there is none yet; `keep` those after it.
    """

    def __init__(
        self,
        *,
        trusted: str | None = "",
        keep: Keep | None = None,
        keep_first: Keep | None = None,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        self._trusted = trusted
        self._keep = keep
        self._keep_first = keep_first
        self._clock = clock
        self._seen = ""
        self._since = 0.0
        self._known = asyncio.Event()
        if trusted is not None:
            self._known.set()

    async def until_known(self) -> None:
        """Wait until any identity has ever been trusted; no credential may be resolved before that."""
        await self._known.wait()

    async def see(self, identity: Identity) -> bool:
        """Take note of the identity that was just read; say whether absences in it may be believed by now."""
        if b"" in identity:  # the relay has not named it yet, and no replica registers before that
            self._seen = ""
            return False
        text = b" ".join(identity).decode("ascii", "replace")
        if text != self._seen:
            self._seen, self._since = text, self._clock()
        if text == self._trusted:
            return True
        keep = self._keep_first if self._trusted is None else self._keep
        if self._trusted is not None and self._clock() - self._since < REGISTRATION_S:
            return False
        self._trusted = text if keep is None else await keep(text)
        self._known.set()
        return self._trusted == text
