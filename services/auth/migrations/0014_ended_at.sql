-- When all by which a user signs in or acts was ended last: an invitation of before signs in to the account no more.
ALTER TABLE auth.users ADD COLUMN ended_at timestamptz(3);
