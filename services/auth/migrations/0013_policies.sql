-- Policies of a project, off by default: a session that is not used ends; who ends an account has signed in lately.
ALTER TABLE auth.projects
    ADD COLUMN session_idle_s   integer NOT NULL DEFAULT 0,
    ADD COLUMN recent_sign_in_s integer NOT NULL DEFAULT 0;

-- When a session was last known to be used: replicas report it once a minute, for projects with that policy.
ALTER TABLE auth.sessions ADD COLUMN used_at timestamptz(3) NOT NULL DEFAULT now();
CREATE INDEX sessions_by_use ON auth.sessions (project, used_at) WHERE deleted_at IS NULL;
