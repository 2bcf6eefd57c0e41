-- Projects, keys, users, sessions, login tokens, teams. Ids are unique within a project; text compares bytewise.

CREATE TABLE auth.projects (
    id                    text COLLATE "C" PRIMARY KEY,
    sequence              bigint GENERATED ALWAYS AS IDENTITY,
    name                  text NOT NULL,
    origins               text[] NOT NULL DEFAULT '{localhost}',
    session_duration_s    integer NOT NULL DEFAULT 31536000,
    session_limit         integer NOT NULL DEFAULT 10,
    user_limit            integer NOT NULL DEFAULT 0,
    disabled_auth_methods text[] NOT NULL DEFAULT '{}',
    created_at            timestamptz(3) NOT NULL DEFAULT now(),
    updated_at            timestamptz(3) NOT NULL DEFAULT now()
);

-- Of a key's secret only the SHA-256 is kept: it is random and long, so that no slow hash is needed.
CREATE TABLE auth.keys (
    project       text COLLATE "C" NOT NULL REFERENCES auth.projects ON DELETE CASCADE,
    id            text COLLATE "C" NOT NULL,
    sequence      bigint GENERATED ALWAYS AS IDENTITY,
    name          text NOT NULL,
    scopes        text[] NOT NULL,
    secret_digest bytea NOT NULL,
    expires_at    timestamptz(3),
    created_at    timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (project, id),
    UNIQUE (project, secret_digest)
);

CREATE TABLE auth.users (
    project             text COLLATE "C" NOT NULL REFERENCES auth.projects ON DELETE CASCADE,
    id                  text COLLATE "C" NOT NULL,
    sequence            bigint GENERATED ALWAYS AS IDENTITY,
    name                text NOT NULL DEFAULT '',
    email               text COLLATE "C",
    phone               text COLLATE "C",
    password_hash       text,
    password_updated_at timestamptz(3),
    email_verified      boolean NOT NULL DEFAULT false,
    phone_verified      boolean NOT NULL DEFAULT false,
    enabled             boolean NOT NULL DEFAULT true,
    labels              text[] NOT NULL DEFAULT '{}',
    prefs               jsonb NOT NULL DEFAULT '{}',
    accessed_at         timestamptz(3),
    created_at          timestamptz(3) NOT NULL DEFAULT now(),
    updated_at          timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (project, id),
    UNIQUE (project, email),
    UNIQUE (project, phone)
);
CREATE INDEX users_in_order ON auth.users (project, sequence);

-- A deleted session stays as a row, with the id of its outbox entry: who repeats the delete waits for that entry, too.
-- So it refers to no user, who may be deleted before it.
CREATE TABLE auth.sessions (
    project       text COLLATE "C" NOT NULL REFERENCES auth.projects ON DELETE CASCADE,
    id            text COLLATE "C" NOT NULL,
    sequence      bigint GENERATED ALWAYS AS IDENTITY,
    user_id       text COLLATE "C" NOT NULL,
    secret_digest bytea NOT NULL,
    provider      text NOT NULL,
    provider_uid  text NOT NULL DEFAULT '',
    factors       text[] NOT NULL,
    ip            text NOT NULL DEFAULT '',
    expires_at    timestamptz(3) NOT NULL,
    created_at    timestamptz(3) NOT NULL DEFAULT now(),
    updated_at    timestamptz(3) NOT NULL DEFAULT now(),
    deleted_at    timestamptz(3),
    ticket        uuid,
    PRIMARY KEY (project, id)
);
CREATE INDEX sessions_of_user ON auth.sessions (project, user_id, sequence) WHERE deleted_at IS NULL;
CREATE INDEX sessions_by_secret ON auth.sessions (project, user_id, secret_digest);
CREATE INDEX sessions_deleted ON auth.sessions (deleted_at) WHERE deleted_at IS NOT NULL;

-- Secrets that can be exchanged for a session, once.
CREATE TABLE auth.tokens (
    project       text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    user_id       text COLLATE "C" NOT NULL,
    secret_digest bytea NOT NULL,
    expires_at    timestamptz(3) NOT NULL,
    created_at    timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (project, id),
    FOREIGN KEY (project, user_id) REFERENCES auth.users ON DELETE CASCADE
);
CREATE INDEX tokens_of_user ON auth.tokens (project, user_id);

CREATE TABLE auth.revoked_jwts (
    jti        text COLLATE "C" PRIMARY KEY,
    expires_at timestamptz(3) NOT NULL
);

CREATE TABLE auth.teams (
    project    text COLLATE "C" NOT NULL REFERENCES auth.projects ON DELETE CASCADE,
    id         text COLLATE "C" NOT NULL,
    sequence   bigint GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL,
    prefs      jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (project, id)
);

CREATE TABLE auth.memberships (
    project    text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    sequence   bigint GENERATED ALWAYS AS IDENTITY,
    team_id    text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    roles      text[] NOT NULL DEFAULT '{}',
    confirmed  boolean NOT NULL DEFAULT false,
    invited_at timestamptz(3) NOT NULL DEFAULT now(),
    joined_at  timestamptz(3),
    created_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (project, id),
    UNIQUE (project, team_id, user_id),
    FOREIGN KEY (project, team_id) REFERENCES auth.teams ON DELETE CASCADE,
    FOREIGN KEY (project, user_id) REFERENCES auth.users ON DELETE CASCADE
);
CREATE INDEX memberships_of_user ON auth.memberships (project, user_id);
