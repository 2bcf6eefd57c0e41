"""The checks: sizes and faults in which the protocol holds, and for each rule one in which it does not without it."""

from tests.model.checker import Check


def _protocol(name: str, defines: str, *, is_quick: bool = False) -> Check:
    return Check(name=name, defines=defines, is_quick=is_quick)


def _broken(name: str, defines: str, *, is_quick: bool = False) -> Check:
    return Check(name=name, defines=defines, is_quick=is_quick, is_broken=True)


PROTOCOL = (
    _protocol("one replica", "LEASE=3 OTHERS=1 BOUND HOLDS FORGETS", is_quick=True),
    _protocol("connections break, a replica leaves", "LEASE=2 BREAKS LEAVES HOLDS FORGETS", is_quick=True),
    _protocol("a stream trimmed", "LEASE=2 OTHERS=1 BOUND TRIMS=2 BREAKS HOLDS FORGETS"),
    _protocol("Redis flushed", "FLUSHES=1", is_quick=True),
    _protocol("Redis flushed, with more entries", "FLUSHES=1 OTHERS=1 HOLDS FORGETS"),
    _protocol("Redis flushed, longer leases", "LEASE=2 FLUSHES=1 HOLDS"),
    _protocol("Redis flushed twice", "FLUSHES=2 HOLDS FORGETS"),
    _protocol("Redis restarted empty, leases shorter than registrations", "LEASE=2 REGISTRATION=3 RESTARTS=1 HOLDS"),
    _protocol("Redis restarted from an old file, twice", "OLD_FILES=2 HOLDS FORGETS"),
    _protocol("Redis restarted from an old file, flushed", "OLD_FILES=1 FLUSHES=1 HOLDS FORGETS BREAKS"),
    _protocol("two sessions", "SESSIONS=2"),
    _protocol("silent replicas struck at any time", "LEASE=2 WATCHES BREAKS HOLDS", is_quick=True),
    _protocol("silent replicas struck at any time, two sessions", "SESSIONS=2 WATCHES"),
    _protocol("two replicas", "REPLICAS=2 BREAKS"),
)

BROKEN = (
    _broken("no lease", "NO_LEASE", is_quick=True),
    _broken("register after read", "REGISTER_AFTER_READ SESSIONS=2"),
    _broken("no number kept per subject", "NO_MARKS", is_quick=True),
    _broken("acknowledge before apply", "ACKNOWLEDGED_EARLY", is_quick=True),
    _broken("registrations that expire by Redis's clock", "REDIS_EXPIRES"),
    _broken("success by elapsed time when the append failed", "SUCCESS_BY_TIME"),
    _broken("success when the entry has stood for less than a lease", "LEASE=2 STANDS_FOR=1", is_quick=True),
    _broken("a fenced replica sharing a look-up", "FENCED_SHARES"),
    _broken("an absence trusted after a restart", "ABSENCE_TRUSTED RESTARTS=1"),
    _broken("a drop without raising the floor", "FLOOR_NOT_RAISED HELD_WITHOUT_ERA TRIMS=1 OTHERS=1 HOLDS"),
    _broken("a number forgotten without raising the floor", "FORGETS FORGOTTEN_SILENTLY"),
    _broken("number committed after the append", "NUMBERED_LATE OTHERS=1"),
    _broken("position taken after the look-up", "POSITION_AFTER"),
    _broken("lease counted from the reply", "LEASE_FROM_REPLY"),
    _broken("strike without comparing", "STRIKE_UNCOMPARED SESSIONS=2"),
    _broken("strike timer counted from the append", "STRIKE_FROM_APPEND SESSIONS=2"),
    _broken("strike timer counted from the append's sending", "STRIKE_FROM_SENDING"),
    _broken("look-ups not given up when Redis's identity changes", "LOOK_UPS_KEPT OLD_FILES=1"),
    _broken("lease without having reached the tail", "LEASE_WITHOUT_TAIL BOUND OTHERS=1"),
    _broken("gap seen only by the next entry", "GAP_BY_NEXT_ENTRY TRIMS=1"),
    _broken("identity by run_id alone", "RUN_ID_ALONE FLUSHES=1"),
    _broken("identity read before the registry", "IDENTITY_FIRST FLUSHES=1"),
    _broken("identity read before the registration", "IDENTITY_FIRST_HERE FLUSHES=1"),
    _broken("a registration repeated by a retry", "RETRIED SESSIONS=2"),
    _broken("deregistering before the cache is dropped", "DEREGISTERED_FIRST LEAVES"),
    _broken("tail read later than identity and registration", "TAIL_LATER FLUSHES=1"),
    _broken("work under way checked without its era", "HELD_WITHOUT_ERA OLD_FILES=1 HOLDS"),
    _broken("first identity trusted late", "FIRST_TRUSTED_LATE RESTARTS=1"),
)
