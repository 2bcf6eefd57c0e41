-- Set in a database that was put back from a copy, before any service starts on it: the relay begins a new epoch.
ALTER TABLE feed.instance ADD COLUMN is_restored boolean NOT NULL DEFAULT false;

-- The epoch, as the statement that calls this sees it: signing keys are good in one alone.
CREATE FUNCTION feed.epoch() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT instance.epoch FROM feed.instance);
END $$;

REVOKE ALL ON FUNCTION feed.epoch() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed.epoch() TO daypass_token;
