-- A user is of a generation, and so is each JWT that is bound to the user alone. Whatever ends all sessions of a user
-- begins another: those JWTs end by it. No number is given twice.
CREATE SEQUENCE auth.generations;
ALTER TABLE auth.users ADD COLUMN generation bigint NOT NULL DEFAULT nextval('auth.generations');

-- A hash of nobody's that takes as long as the slowest that was brought along, and how long beyond one of ours, in
-- seconds. Whoever signs in makes this process do as much: time tells nobody whose hash is of which kind.
ALTER TABLE auth.projects
    ADD COLUMN slowest_hash   text,
    ADD COLUMN slowest_hash_s double precision NOT NULL DEFAULT 0;
