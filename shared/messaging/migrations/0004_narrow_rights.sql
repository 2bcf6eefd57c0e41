-- token held rights on the outbox's tables; now it calls four functions, which do what it needs, and no more. They run
-- as auth, and check what they are given.

-- An entry of an uncommitted transaction holds its stream's row of `heads` by the foreign key, whoever wrote it.
-- Numbers do not wait for that: the key does not change.
CREATE OR REPLACE FUNCTION feed.give_numbers(which text, most integer)
RETURNS TABLE (number bigint, id uuid, entry bytea) LANGUAGE plpgsql AS $$
DECLARE
    head bigint;
BEGIN
    SELECT heads.number INTO head FROM feed.heads WHERE stream = which FOR NO KEY UPDATE;
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

-- The position of the feed, as the statement that calls this sees it.
CREATE FUNCTION feed.position() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT heads.number FROM feed.heads WHERE stream = 'feed');
END $$;

-- The number of an entry, and the suffix of the streams in which it has that number; no row while it has none.
CREATE FUNCTION feed.find_number(ticket uuid) RETURNS TABLE (number bigint, suffix text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT outbox.number, (SELECT system_identifier FROM pg_control_system()) || '-' || instance.epoch
    FROM feed.outbox, feed.instance WHERE outbox.id = ticket AND outbox.number IS NOT NULL;
END $$;

-- A text of at most 255 bytes in msgpack.
CREATE FUNCTION feed.packed(value text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN octet_length(value) < 32 THEN set_byte('\x00', 0, 160 + octet_length(value))
                ELSE set_byte('\xd900', 1, octet_length(value)) END || convert_to(value, 'UTF8')
$$;

-- How many entries token has published in the minute that began at `since`. Nobody but token waits for this row.
CREATE TABLE feed.signing_key_entries (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    since  timestamptz NOT NULL DEFAULT '-infinity',
    count  integer NOT NULL DEFAULT 0
);
INSERT INTO feed.signing_key_entries DEFAULT VALUES;

-- `principals.changed`, version 1, about signing keys; returns the id of the row. At most 100 a minute, each with at most
-- 100 subjects: what others publish waits for no more than that.
CREATE FUNCTION feed.publish_signing_keys(subjects text[], reason text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ticket uuid := gen_random_uuid();
    length integer := cardinality(subjects);
    packed bytea;
    published integer;
BEGIN
    IF array_ndims(subjects) IS DISTINCT FROM 1 OR length > 100
       OR EXISTS (SELECT FROM unnest(subjects) AS subject
                  WHERE (subject ~ '^(signing_keys|signing_key:[A-Za-z0-9._-]{1,64})$') IS NOT TRUE) THEN
        RAISE EXCEPTION 'only signing keys are told of here';
    END IF;
    IF (reason ~ '^signing_key\.[a-z_]{1,32}$') IS NOT TRUE THEN
        RAISE EXCEPTION 'this is no reason to tell of signing keys';
    END IF;
    SELECT CASE WHEN minute.since BETWEEN clock_timestamp() - interval '1 minute' AND clock_timestamp()
                THEN minute.count ELSE 0 END INTO published
    FROM feed.signing_key_entries AS minute FOR NO KEY UPDATE;
    IF published >= 100 THEN
        RAISE EXCEPTION 'no more than 100 entries about signing keys in a minute: try again later'
            USING ERRCODE = 'configuration_limit_exceeded';
    END IF;
    UPDATE feed.signing_key_entries AS minute
    SET count = published + 1, since = CASE WHEN published = 0 THEN clock_timestamp() ELSE minute.since END;
    SELECT string_agg(feed.packed(subject), '' ORDER BY place) INTO packed
    FROM unnest(subjects) WITH ORDINALITY AS named (subject, place);
    INSERT INTO feed.outbox (id, stream, entry, subjects, reason, asked_by)
    VALUES (
        ticket, 'feed',
        '\x83'::bytea || feed.packed('type') || feed.packed('principals.changed') || feed.packed('version') || '\x01'
        || feed.packed('body') || '\x82' || feed.packed('subjects')
        || CASE WHEN length < 16 THEN set_byte('\x00', 0, 144 + length)
                ELSE set_byte(set_byte('\xdc0000', 1, length / 256), 2, length % 256) END
        || packed || feed.packed('reason') || feed.packed(reason),
        subjects, reason, 'cli'
    );
    RETURN ticket;
END $$;

-- What token's barrier found of an entry about signing keys or JWTs; any other stays as it is. An entry without a number
-- is left alone: whoever numbers it must not wait for a transaction of token's.
CREATE FUNCTION feed.confirm(ticket uuid, at timestamptz, acked integer, fenced integer, milliseconds real)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE feed.outbox
    SET answered_at = confirm.at, acked = confirm.acked, fenced = confirm.fenced, milliseconds = confirm.milliseconds
    WHERE id = ticket AND stream = 'feed' AND number IS NOT NULL AND answered_at IS NULL
      AND NOT EXISTS (SELECT FROM unnest(subjects) AS subject WHERE subject !~ '^(signing_keys$|signing_key:|jwt:)');
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA feed FROM daypass_token;
REVOKE ALL (id, stream, entry, number, asked_by, answered_at, acked, fenced, milliseconds) ON feed.outbox
    FROM daypass_token;
REVOKE ALL (epoch) ON feed.instance FROM daypass_token;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA feed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed.position(), feed.find_number(uuid), feed.publish_signing_keys(text[], text),
    feed.confirm(uuid, timestamptz, integer, integer, real) TO daypass_token;
