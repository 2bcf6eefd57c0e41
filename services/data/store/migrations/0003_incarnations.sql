-- A database is of an incarnation of its project: the next project with the same id has another. Databases of before
-- have none, until auth has been asked.
ALTER TABLE data.databases
    ADD COLUMN incarnation bigint,
    DROP CONSTRAINT databases_project_id_key,
    ADD UNIQUE (incarnation, id);

-- Incarnations that were deleted: no database is made in one any more.
CREATE TABLE data.dead_projects (
    incarnation bigint PRIMARY KEY,
    project     text COLLATE "C" NOT NULL,
    deleted_at  timestamptz(3) NOT NULL DEFAULT now()
);
