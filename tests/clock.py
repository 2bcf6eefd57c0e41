"""A clock that a test sets."""

from shared.kernel.clock import boot_clock


class Clock:
    """The clock of leases, set forward by `ahead_s`: a lease that begins now has ended by then."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return boot_clock() + self.ahead_s
