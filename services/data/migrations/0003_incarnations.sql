-- A database is of an incarnation of its project: the next project with the same id has another. Databases of before
-- have none, until auth has been asked.
ALTER TABLE data.databases
    ADD COLUMN incarnation bigint,
    DROP CONSTRAINT databases_project_id_key,
    ADD UNIQUE (incarnation, id);

-- Incarnations in which a database was made, or which were deleted: no database is made in one of those any more.
CREATE TABLE data.incarnations (
    incarnation bigint PRIMARY KEY,
    deleted_at  timestamptz(3)
);
