-- The catalogue. What users name by ids is named by numbers in PostgreSQL: database n is schema db_<n>; table n is
-- t_<n> in it, with the permissions of its rows in p_<n>; column n is c_<n>, index n is i_<n>.

CREATE TABLE data.databases (
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project    text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    name       text NOT NULL,
    enabled    boolean NOT NULL DEFAULT true,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    UNIQUE (project, id)
);

-- `version` counts every change of a table, its columns and indexes, and of its database: each statement on rows
-- carries the version that it was made for, and finds nothing in another.
CREATE TABLE data.tables (
    n            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    database_n   bigint NOT NULL REFERENCES data.databases ON DELETE CASCADE,
    id           text COLLATE "C" NOT NULL,
    name         text NOT NULL,
    enabled      boolean NOT NULL DEFAULT true,
    row_security boolean NOT NULL DEFAULT false,
    permissions  text[] NOT NULL DEFAULT '{}',
    version      bigint NOT NULL DEFAULT 1,
    created_at   timestamptz(3) NOT NULL DEFAULT now(),
    updated_at   timestamptz(3) NOT NULL DEFAULT now(),
    UNIQUE (database_n, id)
);

CREATE TABLE data.columns (
    n             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_n       bigint NOT NULL REFERENCES data.tables ON DELETE CASCADE,
    key           text COLLATE "C" NOT NULL,
    kind          text NOT NULL,
    options       json NOT NULL DEFAULT '{}',
    required      boolean NOT NULL,
    default_value json,
    is_array      boolean NOT NULL,
    created_at    timestamptz(3) NOT NULL DEFAULT now(),
    updated_at    timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX columns_by_key ON data.columns (table_n, lower(key));

CREATE TABLE data.indexes (
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_n    bigint NOT NULL REFERENCES data.tables ON DELETE CASCADE,
    key        text COLLATE "C" NOT NULL,
    type       text NOT NULL,
    columns    text[] NOT NULL,
    orders     text[] NOT NULL,
    lengths    integer[] NOT NULL,
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX indexes_by_key ON data.indexes (table_n, lower(key));
