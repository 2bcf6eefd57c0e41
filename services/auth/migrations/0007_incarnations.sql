-- An incarnation is a `sequence`, which is never given twice, where an id may be used again. A session is of one
-- incarnation of its user.
ALTER TABLE auth.sessions ADD COLUMN user_incarnation bigint;
UPDATE auth.sessions SET user_incarnation = users.sequence
FROM auth.users WHERE users.project = sessions.project AND users.id = sessions.user_id;
