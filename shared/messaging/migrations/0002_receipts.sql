-- Receipts: an outbox row that somebody waits for says who asked, and what the barrier found. Who asked is null where
-- nobody waits; a receipt without a time of answering is pending.
ALTER TABLE feed.outbox
    ADD COLUMN subjects     text[] NOT NULL DEFAULT '{}',
    ADD COLUMN reason       text NOT NULL DEFAULT '',
    ADD COLUMN asked_by     text,
    ADD COLUMN answered_at  timestamptz(3),
    ADD COLUMN acked        integer,
    ADD COLUMN fenced       integer,
    ADD COLUMN milliseconds real;
CREATE INDEX outbox_pending ON feed.outbox (found) WHERE asked_by IS NOT NULL AND answered_at IS NULL;
CREATE INDEX outbox_created ON feed.outbox (created_at);

-- A database that was restored from an older copy begins a new epoch: `former` are the suffixes of its streams before,
-- and credentials that are older than `restored_at` and rest on nothing else that was ended are refused.
ALTER TABLE feed.instance
    ADD COLUMN former      text[] NOT NULL DEFAULT '{}',
    ADD COLUMN restored_at timestamptz(3);

-- The number with which the stream of this epoch begins.
ALTER TABLE feed.heads ADD COLUMN first bigint NOT NULL DEFAULT 1;

GRANT UPDATE (answered_at, acked, fenced, milliseconds) ON feed.outbox TO daypass_token;
GRANT SELECT (asked_by, answered_at) ON feed.outbox TO daypass_token;
GRANT SELECT (epoch) ON feed.instance TO daypass_token;
