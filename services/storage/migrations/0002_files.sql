-- A file consists of pieces, in the order of their numbers: one if it came in one request, else one for each chunk.
-- `pieces_total` is how many it will have; `completed_at` is null until all are there and its content has been read once.
-- `chunks_uploaded` is what callers are shown: the pieces that are there without a gap. `uploader` began the upload.
CREATE TABLE storage.files (
    sequence        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bucket          bigint NOT NULL REFERENCES storage.buckets ON DELETE CASCADE,
    id              text COLLATE "C" NOT NULL,
    name            text COLLATE "C" NOT NULL,
    folder          text COLLATE "C" NOT NULL,
    permissions     text[] COLLATE "C" NOT NULL,
    signature       text COLLATE "C" NOT NULL DEFAULT '',
    mime_type       text COLLATE "C" NOT NULL DEFAULT '',
    size_original   bigint NOT NULL,
    size_actual     bigint NOT NULL DEFAULT 0,
    chunks_total    integer NOT NULL,
    chunks_uploaded integer NOT NULL DEFAULT 0,
    compression     text COLLATE "C" NOT NULL,
    encryption      boolean NOT NULL,
    uploader        text COLLATE "C" NOT NULL,
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    updated_at      timestamptz(3) NOT NULL DEFAULT now(),
    completed_at    timestamptz(3),
    UNIQUE (bucket, id)
);
CREATE INDEX files_in_order ON storage.files (bucket, sequence);
CREATE INDEX files_by_permission ON storage.files USING gin (permissions);
CREATE INDEX uploads ON storage.files (updated_at) WHERE completed_at IS NULL;

-- `object` is the name of the stored bytes, which no other piece ever has; `key` is wrapped by a master key, null for a
-- piece that is not encrypted; `lengths` are the stored lengths of its segments where it is compressed.
CREATE TABLE storage.pieces (
    file    bigint NOT NULL REFERENCES storage.files ON DELETE CASCADE,
    number  integer NOT NULL,
    object  text COLLATE "C" NOT NULL UNIQUE,
    size    bigint NOT NULL,
    stored  bigint NOT NULL,
    key     bytea,
    lengths bytea NOT NULL,
    PRIMARY KEY (file, number)
);

-- Objects that no piece has: being written, or to be removed, after `due_at` by housekeeping. One that housekeeping has
-- begun to remove is doomed: no piece may claim it any more.
CREATE TABLE storage.garbage (
    object text COLLATE "C" PRIMARY KEY,
    due_at timestamptz(3) NOT NULL,
    doomed boolean NOT NULL DEFAULT false
);
CREATE INDEX due_garbage ON storage.garbage (due_at);
