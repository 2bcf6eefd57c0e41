-- A user is of a generation, and so is each JWT that is bound to the user alone. Whatever ends all sessions of a user
-- begins another: those JWTs end by it. No number is given twice.
CREATE SEQUENCE auth.generations;
ALTER TABLE auth.users ADD COLUMN generation bigint NOT NULL DEFAULT nextval('auth.generations');
