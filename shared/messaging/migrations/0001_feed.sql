-- What must be told, written in the transaction of the change itself. Schema feed belongs to auth.

-- One row per stream. Numbers are dense and only grow; the epoch is part of the stream's name in Redis, so that the
-- streams of two databases, or of one database restored, never mix.
CREATE TABLE feed.heads (
    stream text PRIMARY KEY,
    epoch  text NOT NULL,
    number bigint NOT NULL DEFAULT 0
);
INSERT INTO feed.heads (stream, epoch)
SELECT stream, replace(gen_random_uuid()::text, '-', '') FROM (VALUES ('feed'), ('events')) AS streams (stream);

CREATE TABLE feed.outbox (
    id         uuid PRIMARY KEY,
    stream     text NOT NULL REFERENCES feed.heads,
    found      bigint GENERATED ALWAYS AS IDENTITY,
    number     bigint,
    entry      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (stream, number)
);
CREATE INDEX outbox_unnumbered ON feed.outbox (stream, found) WHERE number IS NULL;

-- token says that a signing key is retired, and waits for the number of its entry; no more.
GRANT INSERT ON feed.outbox TO daypass_token;
GRANT SELECT (id, number) ON feed.outbox TO daypass_token;
