-- Who repeats a delete waits for what is pending about the session, which the outbox knows.
ALTER TABLE auth.sessions DROP COLUMN ticket;
