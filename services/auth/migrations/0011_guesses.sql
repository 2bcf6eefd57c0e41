-- A login token short enough to be guessed dies of wrong tries; one that nobody can guess counts none.
ALTER TABLE auth.tokens ADD COLUMN guesses_left smallint DEFAULT 10;
