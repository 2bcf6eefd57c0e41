/* The revocation protocol of docs/revocation.md, for spin. Told, with what is left out, in docs/model.md.
 *
 * Each step is atomic and stands for what one process does without an await, or for one command (or MULTI) that Redis
 * executes. Everything else may come between any two steps, and time too: so a slow message, a stopped replica, a
 * crashed relay, and one that is cut off are all there without a word: their next step is late, or never comes.
 *
 * Sizes and faults (-D): REPLICAS, SESSIONS (1 or 2 each), LEASE and REGISTRATION (ticks), OTHERS (entries about
 * something else), BOUND (XREAD returns one entry at a time), FLUSHES, RESTARTS, OLD_FILES (losses of Redis), TRIMS,
 * BREAKS (connections given up), LEAVES, FORGETS, HOLDS (work that checks again). A rule is broken by its name, in
 * capitals.
 */

#ifndef REPLICAS
#define REPLICAS 1
#endif
#ifndef SESSIONS
#define SESSIONS 1
#endif
#ifndef LEASE
#define LEASE 1
#endif
#ifndef REGISTRATION
#define REGISTRATION LEASE
#endif
#ifndef STANDS_FOR
#define STANDS_FOR REGISTRATION
#endif
#ifndef OTHERS
#define OTHERS 0
#endif
#ifndef FLUSHES
#define FLUSHES 0
#endif
#ifndef RESTARTS
#define RESTARTS 0
#endif
#ifndef OLD_FILES
#define OLD_FILES 0
#endif
#ifndef TRIMS
#define TRIMS 0
#endif

#define RS(r, s) ((r) * SESSIONS + (s))
#define PAIRS (REPLICAS * SESSIONS)
#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* The database: the truth. */
bit deleted[SESSIONS];   /* committed, with its outbox row */
byte number[SESSIONS];   /* of that row; 0: not numbered yet */
byte head;               /* feed.heads: the last number given */
bit success[SESSIONS];   /* the delete has been answered with success */
byte others = OTHERS;    /* changes still to come that are about something else */

/* Redis: its identity (run_id; the random token, 0 before the relay has written one), stream and registry. */
byte run_id;
byte token = 1;
byte tokens = 1;
byte last;               /* the stream's last id */
byte first;              /* entries first + 1 … last are there, older ones are trimmed away */
bit there[REPLICAS];     /* the registry: is it in, and at which position did it register */
byte stands[REPLICAS];
byte announced[REPLICAS];
byte flushes = FLUSHES, restarts = RESTARTS, old_files = OLD_FILES, trims = TRIMS;

/* Each replica: cache.Cache. */
byte position[REPLICAS];
byte floor[REPLICAS];
byte lease[REPLICAS];    /* ticks that are left; 0: fenced */
byte age[REPLICAS];      /* ticks since this round's clock was read, up to LEASE */
bit busy[REPLICAS];      /* a round is under way */
bit connected[REPLICAS];
byte mark[PAIRS];        /* the number of the last entry about this session; 0: none is kept */
byte cached[PAIRS];      /* 1 + the position of an answer that says: alive; 0: none */
byte held[PAIRS];        /* the same, of work under way that will check again */

/* Each look-up, one at a time per replica and session. */
mtype = { none, asked, placeless, answered };
mtype flight[PAIRS] = none;
byte flight_at[PAIRS];
bit is_own[PAIRS];       /* begun by a fenced replica, for one request */
bit is_void[PAIRS];      /* begun in an era that is over */
bit is_late[PAIRS];      /* waited for by a request that was sent after the delete's success */

/* Each barrier: barrier.Revocations, one per session; trust.Trust. A value is known by whether it has changed. */
bit changed[PAIRS];      /* the registration differs from the one that the strike timer runs for */
bit differs[PAIRS];      /* the registration differs from the one that was read last */
bit is_timed[PAIRS];
byte strike_in[PAIRS];
byte stands_in[SESSIONS]; /* ticks until the entry has stood in one and the same Redis for REGISTRATION … */
bit is_standing[SESSIONS]; /* … since this barrier first saw it there */
byte trust_in;
byte seen_run, seen_token, trusted_run;
#ifdef FIRST_TRUSTED_LATE
byte trusted_token;
#else
byte trusted_token = 1;
#endif

#ifdef NO_LEASE
#define may_use(r) true
#else
#define may_use(r) (lease[r] > 0)
#endif
#ifdef NUMBERED_LATE
byte in_stream[SESSIONS]; /* the number under which the delete stands in the stream */
byte appended;            /* appended, number not committed: 1 + the session, or OTHER */
#define OTHER 9
#define entry_of(s) in_stream[s]
#else
#define entry_of(s) number[s]
#endif
#ifdef SUCCESS_BY_TIME
byte give_up_in[SESSIONS];
#endif
#ifdef RETRIED
bit ghost[REPLICAS];      /* a registration whose reply was given up is still on its way … */
byte ghost_at[REPLICAS];
bit ghost_now[REPLICAS];  /* … and the one that stands has the same value */
bit ghost_read[PAIRS];    /* so had the one that was read last, or the one the strike timer runs for */
bit ghost_timed[PAIRS];
#endif

#define is_stale(r, s, at) ((at) < floor[r] || mark[RS(r, s)] > (at))

/* Cache.reset: what is remembered is gone, look-ups under way are given up, the floor stands at the new position. */
inline reset(r, at) {
    for (i : 0 .. SESSIONS - 1) {
        cached[RS(r, i)] = 0;
        mark[RS(r, i)] = 0;
#ifndef LOOK_UPS_KEPT
        if :: flight[RS(r, i)] != none -> is_void[RS(r, i)] = 1 :: else fi;
#endif
#ifndef HELD_WITHOUT_ERA
        held[RS(r, i)] = 0
#endif
    }
    position[r] = at;
#ifndef FLOOR_NOT_RAISED
    floor[r] = at;
#endif
    lease[r] = 0
}

/* Cache.apply, of the entries from `position + 1` to `upto`. */
inline apply(r, upto) {
    for (i : 0 .. SESSIONS - 1) {
        if
        :: position[r] < entry_of(i) && entry_of(i) <= upto ->
#ifndef NO_MARKS
            mark[RS(r, i)] = entry_of(i);
#endif
            cached[RS(r, i)] = 0
        :: else
        fi
    }
    position[r] = upto
}

/* XINFO STREAM */
inline read_tail() { tail = last }

inline read_identity() {
#ifdef RUN_ID_ALONE
    seen_here = (run_id << 4) + (token > 0)
#else
    seen_here = (run_id << 4) + token
#endif
}

/* The MULTI of FeedReader._commands, and the announcement after it. */
inline register(r) {
#ifndef IDENTITY_FIRST_HERE
    read_identity();
#endif
#if !defined(TAIL_LATER) && !defined(REGISTER_AFTER_READ)
    read_tail();
#endif
    there[r] = 1;
    stands[r] = at;
    announced[r] = MAX(announced[r], at);
    for (i : 0 .. SESSIONS - 1) {
        changed[RS(r, i)] = 1;
        differs[RS(r, i)] = 1
    }
#ifdef RETRIED
    ghost_now[r] = is_repeated;
#endif
    i = 0
}

/* XREAD of FeedReader._commands. */
inline read_entries() {
    if
    :: is_new || last <= at -> from = 0; upto = 0
    :: !is_new && last > at && first >= last -> from = 0; upto = 0
    :: !is_new && last > at && first < last ->
        from = MAX(at, first) + 1;
#ifdef BOUND
        upto = from
#else
        upto = last
#endif
    fi
}

/* FeedReader._one_round, after the replies. */
inline take_in(r) {
    if
    :: (seen_here & 15) == 0 -> skip   /* FeedBroken: this Redis has no identity yet */
    :: (seen_here & 15) != 0 && seen_here != identity ->
        identity = seen_here;
        is_new = 1;
        reset(r, position[r])
    :: (seen_here & 15) != 0 && seen_here == identity ->
        if
        :: is_new -> is_new = 0; reset(r, tail)
#ifdef GAP_BY_NEXT_ENTRY
        :: !is_new && from == 0 -> tail = position[r]   /* nothing to read: this must be the end */
#else
        :: !is_new && from == 0 && tail != position[r] -> reset(r, tail)
        :: !is_new && from == 0 && tail == position[r] -> skip
#endif
        :: !is_new && from != 0 && from != position[r] + 1 -> tail = MAX(tail, from); reset(r, tail)
        :: !is_new && from != 0 && from == position[r] + 1 -> apply(r, upto)
        fi;
        if
#ifdef LEASE_FROM_REPLY
        :: position[r] >= tail -> lease[r] = LEASE
#else
        :: position[r] >= tail -> lease[r] = LEASE - age[r]
#endif
#ifdef LEASE_WITHOUT_TAIL
        :: position[r] < tail -> lease[r] = LEASE - age[r]
#else
        :: position[r] < tail -> skip
#endif
        fi
    fi
}

inline end_round(r) {
    age[r] = 0;
    busy[r] = 0;
    at = 0; tail = 0; from = 0; upto = 0; seen_here = 0; i = 0
}

#define or_reconnect(r) :: atomic { !connected[r] -> end_round(r); goto begin }

proctype Feed(byte r) {
    byte identity = 255, seen_here, at, tail, from, upto, i;
    bit is_new = 1;
#ifdef RETRIED
    bit is_repeated;
#endif
begin:
    if
    :: atomic { age[r] = 0; busy[r] = 1; connected[r] = 1; at = position[r] }
#ifdef LEAVES
    :: goto leave
#endif
    fi;
#ifdef REGISTER_AFTER_READ
    if :: d_step { connected[r] -> read_tail() } or_reconnect(r) fi;
    if :: d_step { connected[r] -> read_entries() } or_reconnect(r) fi;
    if :: d_step { connected[r] -> register(r) } or_reconnect(r) fi;
#else
#ifdef IDENTITY_FIRST_HERE
    if :: d_step { connected[r] -> read_identity() } or_reconnect(r) fi;
#endif
#ifdef RETRIED
    is_repeated = 0;
again:
    if
    :: d_step { connected[r] -> register(r) }
    :: atomic { connected[r] && !ghost[r] -> ghost[r] = 1; ghost_at[r] = at; is_repeated = 1; goto again }
    fi;
#else
    if :: d_step { connected[r] -> register(r) } or_reconnect(r) fi;
#endif
#ifdef TAIL_LATER
    if :: d_step { connected[r] -> read_tail() } or_reconnect(r) fi;
#endif
    if :: d_step { connected[r] -> read_entries() } or_reconnect(r) fi;
#endif
#ifdef ACKNOWLEDGED_EARLY
    if
    :: d_step { connected[r] && from == position[r] + 1 -> stands[r] = upto; announced[r] = MAX(announced[r], upto) }
    :: connected[r] && from != position[r] + 1
    or_reconnect(r)
    fi;
#endif
    atomic { take_in(r); end_round(r); goto begin };
leave:  /* FeedReader._leave */
#ifdef DEREGISTERED_FIRST
    atomic { there[r] = 0; stands[r] = 0 };
    atomic { reset(r, position[r]); i = 0 }
#else
    atomic { reset(r, position[r]); i = 0 };
    atomic { there[r] = 0; stands[r] = 0 }
#endif
}

inline forget_flight(r, s) {
    flight[RS(r, s)] = none;
    flight_at[RS(r, s)] = 0;
    is_own[RS(r, s)] = 0;
    is_void[RS(r, s)] = 0;
    is_late[RS(r, s)] = 0
}

/* Guard: requests of one session's credential at one replica. */
proctype Requests(byte r; byte s) {
    do
    /* Guard._look_up, under a lease: shared, and kept */
    :: d_step { flight[RS(r, s)] == none && may_use(r) && cached[RS(r, s)] == 0 && !deleted[s] ->
        flight[RS(r, s)] = asked }
#if defined(HOLDS) || defined(FENCED_SHARES)
    /* … and without: for one request, that goes on with the answer */
    :: d_step { flight[RS(r, s)] == none && lease[r] == 0 && !deleted[s] ->
        flight[RS(r, s)] = asked;
        is_own[RS(r, s)] = 1 }
#endif
#ifdef FENCED_SHARES
    :: d_step { flight[RS(r, s)] != none && is_own[RS(r, s)] && lease[r] == 0 && success[s] -> is_late[RS(r, s)] = 1 }
#endif
    /* auth: store/principals.py, one statement, so alive and position are of one snapshot; dead needs no step more */
    :: d_step { flight[RS(r, s)] == asked && deleted[s] -> forget_flight(r, s) }
    :: d_step { flight[RS(r, s)] == asked && !deleted[s] ->
#ifdef POSITION_AFTER
        flight[RS(r, s)] = placeless }
    :: d_step { flight[RS(r, s)] == placeless ->
#endif
        flight[RS(r, s)] = answered;
        flight_at[RS(r, s)] = head }
    /* Cache.put, or the end of a look-up without a lease */
    :: d_step { flight[RS(r, s)] == answered && !is_own[RS(r, s)] ->
        if
        :: may_use(r) && !is_void[RS(r, s)] && !is_stale(r, s, flight_at[RS(r, s)]) ->
            cached[RS(r, s)] = flight_at[RS(r, s)] + 1
        :: else
        fi;
        forget_flight(r, s) }
    :: d_step { flight[RS(r, s)] == answered && is_own[RS(r, s)] ->
        assert(!is_late[RS(r, s)]);
#ifdef HOLDS
        if
        :: held[RS(r, s)] == 0 && !is_void[RS(r, s)] -> held[RS(r, s)] = flight_at[RS(r, s)] + 1
        :: else
        fi;
#endif
        forget_flight(r, s) }
#ifdef FORGETS
    /* Cache._raise_floor */
    :: d_step { mark[RS(r, s)] > 0 ->
#ifndef FORGOTTEN_SILENTLY
        floor[r] = MAX(floor[r], mark[RS(r, s)]);
#endif
        mark[RS(r, s)] = 0 }
#endif
#ifdef HOLDS
    /* work that takes long: it has its principal, and asks Guard.check before it commits */
    :: d_step { held[RS(r, s)] == 0 && may_use(r) && cached[RS(r, s)] > 0 -> held[RS(r, s)] = cached[RS(r, s)] }
    :: d_step { held[RS(r, s)] > 0 && lease[r] > 0 && success[s] && !is_stale(r, s, held[RS(r, s)] - 1) ->
        assert(false) }
#endif
    /* Cache.get: the promise */
    :: d_step { may_use(r) && cached[RS(r, s)] > 0 && success[s] && !is_stale(r, s, cached[RS(r, s)] - 1) ->
        assert(false) }
    od
}

/* STRIKE_FROM_APPEND, STRIKE_FROM_SENDING: the timer of all replicas begins with the entry, not with what is read. */
inline start_strike(s) {
    for (r : 0 .. REPLICAS - 1) { is_timed[RS(r, s)] = 1; strike_in[RS(r, s)] = REGISTRATION }
    r = 0
}

inline give_number(s) {
    head++;
    number[s] = head;
#ifdef STRIKE_FROM_SENDING
    start_strike(s)
#endif
}

/* Relay: numbers are given and committed, then appended; what Redis has not, it gets again. */
proctype Relay() {
    byte r;
    do
#ifdef NUMBERED_LATE
    :: d_step { appended == 0 && last == head && deleted[0] && number[0] == 0 ->
        last++; in_stream[0] = last; appended = 1 }
    :: d_step { appended == 0 && last == head && others > 0 -> last++; appended = OTHER }
    :: d_step { appended == 1 -> give_number(0); appended = 0 }
    :: d_step { appended == OTHER -> others--; head++; appended = 0 }
    :: d_step { appended != 0 -> appended = 0 }             /* it crashes, and another begins */
    :: d_step { appended == 0 && last > head && deleted[0] && number[0] == 0 -> give_number(0) }
    :: d_step { appended == 0 && last > head && others > 0 -> others--; head++ }
#else
    :: d_step { deleted[0] && number[0] == 0 -> give_number(0) }
#if SESSIONS > 1
    :: d_step { deleted[1] && number[1] == 0 -> give_number(1) }
#endif
    :: d_step { others > 0 -> others--; head++ }
    :: d_step { last < head -> /* append(): n only after n - 1 */
        last++;
#ifdef STRIKE_FROM_APPEND
        if :: last == number[0] -> start_strike(0) :: else fi;
#if SESSIONS > 1
        if :: last == number[1] -> start_strike(1) :: else fi;
#endif
#endif
        r = 0 }
#endif
    :: d_step { token == 0 -> tokens++; token = tokens }     /* identify() */
    od
}

/* What befalls Redis and the connections to it. */
inline lose_registry() {
    for (r : 0 .. REPLICAS - 1) {
        there[r] = 0;
        stands[r] = 0;
        for (s : 0 .. SESSIONS - 1) { changed[RS(r, s)] = 1; differs[RS(r, s)] = 1 }
    }
    r = 0; s = 0
}

/* Whether the value that an old file brings back is the one that a barrier has read. */
inline change(r, is_changed) {
    for (s : 0 .. SESSIONS - 1) { changed[RS(r, s)] = is_changed; differs[RS(r, s)] = is_changed };
    s = 0
}

inline restart() {
    run_id++;
    for (r : 0 .. REPLICAS - 1) { connected[r] = 0 }
    r = 0
}

proctype Faults() {
    byte r, s;
    do
    :: d_step { flushes > 0 -> flushes--; token = 0; last = 0; first = 0; lose_registry() }
    :: d_step { restarts > 0 -> restarts--; token = 0; last = 0; first = 0; restart(); lose_registry() }
    /* a file: of any age, with any registrations of then */
    :: atomic { old_files > 0 ->
        old_files--;
        restart();
        do :: last > 0 -> last-- :: break od;
        first = MIN(first, last);
        r = 0;
        do
        :: r < REPLICAS ->
            if
            :: there[r] = 0; stands[r] = 0; change(r, 1)
            :: change(r, 1)
            :: change(r, 0)
            fi;
            do :: stands[r] > 0 -> stands[r]-- :: break od;
            r++
        :: else -> break
        od;
        r = 0 }
    :: d_step { trims > 0 && first < last -> trims--; first = last }
    :: d_step { trims > 0 && first < last -> trims--; first++ }
#ifdef BREAKS
    :: d_step { busy[0] && connected[0] -> connected[0] = 0 }
#endif
#ifdef REDIS_EXPIRES
    /* the wall clock of Redis's host steps */
    :: d_step { there[0] -> there[0] = 0; stands[0] = 0 }
#endif
#ifdef RETRIED
    :: d_step { ghost[0] ->
        ghost[0] = 0;
        ghost_now[0] = 0;
        there[0] = 1;
        stands[0] = ghost_at[0];
        for (s : 0 .. SESSIONS - 1) { changed[s] = !ghost_timed[s]; differs[s] = !ghost_read[s] }
        s = 0 }
#endif
    od
}

inline see() {
    if
    :: snap_token == 0 -> seen_token = 0; seen_run = 0; trust_in = 0
    :: else ->
        if
        :: seen_token != snap_token || seen_run != snap_run ->
            seen_run = snap_run;
            seen_token = snap_token;
            trust_in = REGISTRATION
        :: else
        fi;
        if
#ifdef ABSENCE_TRUSTED
        :: trust_in > 0 -> is_trusted = 1
#endif
#ifdef FIRST_TRUSTED_LATE
        :: trusted_token == 0 -> trust_in = 0; is_trusted = 1; trusted_run = seen_run; trusted_token = seen_token
        :: trusted_token > 0 && trust_in > 0 && !(seen_token == trusted_token && seen_run == trusted_run) -> skip
#endif
        :: seen_token == trusted_token && seen_run == trusted_run -> is_trusted = 1; trust_in = 0
        :: !(seen_token == trusted_token && seen_run == trusted_run) && trust_in == 0 ->
            trusted_run = seen_run;
            trusted_token = seen_token;
            is_trusted = 1
        :: else
        fi
    fi
}

inline give_up_standing() {
    is_standing[s] = 0;
    stands_in[s] = 0;
    stood_run = 0;
    stood_token = 0
}

/* Whether the entry has stood here for so long that nobody waits for what the registry says. */
inline stand() {
    if
    :: snap_token != 0 && is_standing[s] && stood_run == snap_run && stood_token == snap_token ->
        if :: stands_in[s] == 0 -> success[s] = 1 :: else fi
    :: snap_token != 0 && !(is_standing[s] && stood_run == snap_run && stood_token == snap_token) ->
        is_standing[s] = 1;
        stood_run = snap_run;
        stood_token = snap_token;
        stands_in[s] = STANDS_FOR
    :: snap_token == 0 -> give_up_standing()
    fi
}

inline strike(n) {
    strikes[n] = 0;
    if
#ifdef STRIKE_UNCOMPARED
    :: there[n] -> there[n] = 0; stands[n] = 0
#endif
    :: there[n] && !changed[RS(n, s)] -> there[n] = 0; stands[n] = 0
    :: else
    fi
}

/* auth: the delete, its barrier (Revocations._run_barrier), and the watch over Redis's identity. */
proctype Barrier(byte s) {
    byte snap_run, snap_token, stood_run, stood_token, r;
    bit has_entry, is_trusted, is_someone_late;
    bit snap_there[REPLICAS], snap_behind[REPLICAS], snap_same[REPLICAS], strikes[REPLICAS];
    do
#ifdef SUCCESS_BY_TIME
    :: d_step { !deleted[s] -> deleted[s] = 1; give_up_in[s] = REGISTRATION }
    :: d_step { deleted[s] && !success[s] && give_up_in[s] == 0 -> success[s] = 1 }
#else
    :: d_step { !deleted[s] -> deleted[s] = 1 }
#endif
    :: d_step { /* Revocations._read_next: one MULTI */
#ifdef WATCHES
        true ->                  /* Revocations._watch reads on, and strikes whoever is silent */
#else
        !success[s] ->
#endif
#ifdef RUN_ID_ALONE
        snap_run = run_id;
        snap_token = (token > 0);
#else
        snap_run = run_id;
        snap_token = token;
#endif
#ifdef IDENTITY_FIRST
        skip };
       d_step {
#endif
        has_entry = number[s] != 0 && last >= number[s];
        for (r : 0 .. REPLICAS - 1) {
            snap_there[r] = there[r];
            snap_behind[r] = there[r] && stands[r] < number[s];
            snap_same[r] = is_timed[RS(r, s)] && !changed[RS(r, s)];
            differs[RS(r, s)] = 0;
#ifdef RETRIED
            ghost_read[RS(r, s)] = ghost_now[r]
#endif
        }
        r = 0 };
       d_step { /* its reply: Trust.see, then Revocations._run_barrier */
        see();
        is_someone_late = 0;
        for (r : 0 .. REPLICAS - 1) {
            if
            :: has_entry && snap_there[r] && snap_behind[r] && announced[r] < number[s] -> is_someone_late = 1
            :: else
            fi;
            if
#ifdef WATCHES
            :: snap_there[r] ->
#else
            :: has_entry && snap_there[r] && snap_behind[r] && announced[r] < number[s] ->
#endif
                if
#if defined(STRIKE_FROM_APPEND) || defined(STRIKE_FROM_SENDING)
                :: strike_in[RS(r, s)] == 0 -> strikes[r] = 1; changed[RS(r, s)] = differs[RS(r, s)]
#else
                :: !snap_same[r] ->
                    is_timed[RS(r, s)] = 1;
                    changed[RS(r, s)] = differs[RS(r, s)];
#ifdef RETRIED
                    ghost_timed[RS(r, s)] = ghost_read[RS(r, s)];
#endif
                    strike_in[RS(r, s)] = REGISTRATION
                :: snap_same[r] && strike_in[RS(r, s)] == 0 -> strikes[r] = 1
#endif
                :: else
                fi
            :: else
            fi;
            snap_there[r] = 0; snap_behind[r] = 0; snap_same[r] = 0; differs[RS(r, s)] = 1
        }
        if
        :: has_entry && is_trusted && !is_someone_late -> success[s] = 1
        :: has_entry && !(is_trusted && !is_someone_late) -> stand()
        :: !has_entry -> give_up_standing()
        fi;
        has_entry = 0; is_trusted = 0; is_someone_late = 0; snap_run = 0; snap_token = 0; r = 0 };
       do /* _STRIKE: compare and delete */
       :: d_step { strikes[0] -> strike(0) }
#if REPLICAS > 1
       :: d_step { strikes[1] -> strike(1) }
#endif
       :: else -> break
       od
    od
}

#if REPLICAS > 1
#define any_lease (lease[0] > 0 || lease[1] > 0)
#define any_age (busy[0] && age[0] < LEASE || busy[1] && age[1] < LEASE)
#else
#define any_lease (lease[0] > 0)
#define any_age (busy[0] && age[0] < LEASE)
#endif
#if SESSIONS == 1
#define any_stand (stands_in[0] > 0)
#else
#define any_stand (stands_in[0] > 0 || stands_in[1] > 0)
#endif
#if PAIRS == 1
#define any_strike (strike_in[0] > 0)
#elif PAIRS == 2
#define any_strike (strike_in[0] > 0 || strike_in[1] > 0)
#else
#define any_strike (strike_in[0] > 0 || strike_in[1] > 0 || strike_in[2] > 0 || strike_in[3] > 0)
#endif

/* Time, for all at once. It matters only while something runs out. */
proctype Clock() {
    byte r, i;
    do
    :: d_step {
#ifdef SUCCESS_BY_TIME
        give_up_in[0] > 0 ||
#endif
        trust_in > 0 || any_lease || any_age || any_strike || any_stand ->
        if :: trust_in > 0 -> trust_in-- :: else fi;
        for (r : 0 .. REPLICAS - 1) {
            if :: lease[r] > 0 -> lease[r]-- :: else fi;
            if :: busy[r] && age[r] < LEASE -> age[r]++ :: else fi
        }
#ifdef SUCCESS_BY_TIME
        if :: give_up_in[0] > 0 -> give_up_in[0]-- :: else fi;
#endif
        for (i : 0 .. PAIRS - 1) {
            if :: strike_in[i] > 0 -> strike_in[i]-- :: else fi
        }
        for (i : 0 .. SESSIONS - 1) {
            if :: stands_in[i] > 0 -> stands_in[i]-- :: else fi
        }
        r = 0; i = 0 }
    od
}

init {
    byte r, s;
    atomic {
        for (r : 0 .. REPLICAS - 1) {
            run Feed(r);
            for (s : 0 .. SESSIONS - 1) { run Requests(r, s) }
        }
        for (s : 0 .. SESSIONS - 1) { run Barrier(s) }
        run Relay();
        run Faults();
        run Clock()
    }
}
