-- Ids of users and teams that were deleted, for as long as the project is there: no client gets one again.
CREATE TABLE auth.spent_ids (
    project  text COLLATE "C" NOT NULL REFERENCES auth.projects ON DELETE CASCADE,
    kind     text NOT NULL CHECK (kind IN ('user', 'team')),
    id       text COLLATE "C" NOT NULL,
    spent_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (project, kind, id)
);
