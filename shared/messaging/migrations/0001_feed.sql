-- What must be told, written in the transaction of the change itself. Schema feed belongs to auth.

-- The epoch is part of the streams' names in Redis, so that the streams of two databases, or of one database
-- restored, never mix. `trusted` is the last identity of Redis in which the absence of a replica was believed.
CREATE TABLE feed.instance (
    single  boolean PRIMARY KEY DEFAULT true CHECK (single),
    epoch   text NOT NULL,
    trusted text
);
INSERT INTO feed.instance (epoch) VALUES (replace(gen_random_uuid()::text, '-', ''));

-- One row per stream. Numbers are dense and only grow.
CREATE TABLE feed.heads (
    stream text PRIMARY KEY,
    number bigint NOT NULL DEFAULT 0
);
INSERT INTO feed.heads (stream) VALUES ('feed'), ('events');

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

-- Numbers what has been committed, in the order found, and returns it. Each statement of a function sees what was
-- committed before it began: so nothing that another relay numbered while this one waited is numbered twice.
CREATE FUNCTION feed.give_numbers(which text, most integer)
RETURNS TABLE (number bigint, id uuid, entry bytea) LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
BEGIN
    SELECT heads.number INTO head FROM feed.heads WHERE stream = which FOR UPDATE;
    RETURN QUERY
    WITH found AS (
        SELECT outbox.id, row_number() OVER (ORDER BY outbox.found) AS place
        FROM feed.outbox WHERE stream = which AND outbox.number IS NULL
        ORDER BY outbox.found LIMIT most
    ), given AS (
        UPDATE feed.outbox SET number = head + place FROM found WHERE outbox.id = found.id
        RETURNING outbox.number, outbox.id, outbox.entry
    ), moved AS (
        UPDATE feed.heads SET number = head + (SELECT count(*) FROM found) WHERE stream = which
    )
    SELECT given.number, given.id, given.entry FROM given ORDER BY given.number;
END $$;

-- token says that a signing key is retired, and waits for the number of its entry; it reads its keys and the position
-- of the feed in one snapshot; no more.
GRANT INSERT ON feed.outbox TO daypass_token;
GRANT SELECT (id, number) ON feed.outbox TO daypass_token;
GRANT SELECT ON feed.heads TO daypass_token;
