-- What backends may change of their project: its policies, its web platforms, and its keys.

ALTER TABLE auth.projects
    ADD COLUMN session_invalidation    boolean NOT NULL DEFAULT true,
    ADD COLUMN shown_membership_fields text[] NOT NULL DEFAULT '{}';

ALTER TABLE auth.keys ADD COLUMN updated_at timestamptz(3) NOT NULL DEFAULT now();
UPDATE auth.keys SET updated_at = created_at;

-- Web platforms: hosts whose pages may call, beside the project's own origins, which the operator sets.
CREATE TABLE auth.platforms (
    project    text COLLATE "C" NOT NULL REFERENCES auth.projects ON DELETE CASCADE,
    id         text COLLATE "C" NOT NULL,
    sequence   bigint GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL,
    hostname   text NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (project, id)
);
