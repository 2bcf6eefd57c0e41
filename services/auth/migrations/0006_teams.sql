-- Invitations: the digest of the secret in the link, and the address that the link was sent to.
ALTER TABLE auth.memberships
    ADD COLUMN secret_digest bytea,
    ADD COLUMN sent_to       text NOT NULL DEFAULT '';

-- Members are counted where a team is shown.
CREATE INDEX memberships_confirmed ON auth.memberships (project, team_id) WHERE confirmed;
CREATE INDEX memberships_in_order ON auth.memberships (project, team_id, sequence);
CREATE INDEX teams_in_order ON auth.teams (project, sequence);

-- As those of users, preferences come back as they were written.
ALTER TABLE auth.teams
    ALTER COLUMN prefs DROP DEFAULT,
    ALTER COLUMN prefs TYPE json USING prefs::json,
    ALTER COLUMN prefs SET DEFAULT '{}';
