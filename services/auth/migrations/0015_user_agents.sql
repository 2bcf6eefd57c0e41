-- What the client of a sign-in called itself; a session shows what that says.
ALTER TABLE auth.sessions ADD COLUMN user_agent text NOT NULL DEFAULT '';
