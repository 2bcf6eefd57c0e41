-- A bucket is of an incarnation of its project: the next project with the same id has another.
CREATE TABLE storage.buckets (
    sequence                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incarnation             bigint NOT NULL,
    id                      text COLLATE "C" NOT NULL,
    name                    text COLLATE "C" NOT NULL,
    permissions             text[] COLLATE "C" NOT NULL,
    file_security           boolean NOT NULL,
    enabled                 boolean NOT NULL,
    maximum_file_size       bigint NOT NULL,
    allowed_file_extensions text[] COLLATE "C" NOT NULL,
    compression             text COLLATE "C" NOT NULL,
    encryption              boolean NOT NULL,
    transformations         boolean NOT NULL,
    created_at              timestamptz(3) NOT NULL DEFAULT now(),
    updated_at              timestamptz(3) NOT NULL DEFAULT now(),
    deleted_at              timestamptz(3)
);
CREATE UNIQUE INDEX buckets_by_id ON storage.buckets (incarnation, id) WHERE deleted_at IS NULL;
CREATE INDEX deleted_buckets ON storage.buckets (deleted_at) WHERE deleted_at IS NOT NULL;

-- Incarnations in which a bucket was made, or which were deleted: no bucket is made in one of those any more.
CREATE TABLE storage.incarnations (
    incarnation bigint PRIMARY KEY,
    deleted_at  timestamptz(3)
);
