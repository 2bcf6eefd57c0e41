"""The checks: sizes and faults in which the protocol holds, and for each rule one in which it does not without it."""

from tests.model.checker import Check

PROTOCOL = (Check(name="one replica", defines="LEASE=2", is_quick=True),)

BROKEN: tuple[Check, ...] = ()
