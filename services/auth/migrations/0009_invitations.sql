-- An invitation to an address is nobody's until it is accepted. Its `user_id` is the id of the user whom it will make if
-- nobody has the address by then, `sent_to` is the address, and `invited_name` the name that the inviter gave. All other
-- memberships are of a user: `member_id`.
ALTER TABLE auth.memberships
    ALTER COLUMN sent_to TYPE text COLLATE "C",
    ADD COLUMN invited_name text,
    ADD COLUMN member_id text COLLATE "C" GENERATED ALWAYS AS (CASE WHEN invited_name IS NULL THEN user_id END) STORED,
    DROP CONSTRAINT memberships_project_user_id_fkey,
    ADD FOREIGN KEY (project, member_id) REFERENCES auth.users ON DELETE CASCADE,
    ADD CONSTRAINT memberships_of_users CHECK (invited_name IS NULL OR (NOT confirmed AND sent_to <> ''));

CREATE INDEX memberships_of_member ON auth.memberships (project, member_id);
CREATE UNIQUE INDEX memberships_to_address ON auth.memberships (project, sent_to, team_id)
    WHERE invited_name IS NOT NULL;
