-- Roles and schemas of Daypass: run in its database, by a superuser, before the services start, as often as you like.
-- Each service has a schema of its own and sees no other; its tables are its own migrations' business.
--
-- The passwords come in as settings of the session, for example
--     SELECT pg_catalog.set_config('daypass.auth_password', …, false);
-- and likewise daypass.token_password, daypass.data_password and daypass.storage_password.

-- This runs as a superuser: a function that a service has made must never be found in place of PostgreSQL's own.
SET search_path = pg_catalog, pg_temp;
-- A service could hold a lock on its own role.
SET lock_timeout = '10s';
SET client_min_messages = warning;

DO $$
DECLARE
    service  text;
    role     text;
    share    numeric;
    password text;
    most     integer := current_setting('max_connections')::integer
                        - current_setting('superuser_reserved_connections')::integer;
    owner    oid;
BEGIN
    -- What each may take of PostgreSQL's connections: no service can shut another out.
    FOR service, share IN VALUES ('auth', 0.25), ('token', 0.15), ('data', 0.4), ('storage', 0.2) LOOP
        role := 'daypass_' || service;
        password := current_setting(format('daypass.%s_password', service), true);
        IF coalesce(password, '') = '' THEN
            RAISE EXCEPTION 'daypass.%_password is not set', service;
        END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I', role);
        END IF;
        BEGIN
            EXECUTE format(
                'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
                ' CONNECTION LIMIT %s PASSWORD %L',
                role, floor(most * share), password
            );
        EXCEPTION WHEN OTHERS THEN
            -- the original error would quote the statement, and the password in it, in the server's log
            RAISE EXCEPTION 'the password of % could not be set: %', role, SQLERRM;
        END;
        -- What the role has set for itself is forgotten. The rest only a superuser may set: what a statement of a
        -- service failed by stands in that service's log, without values; not in PostgreSQL's, with them.
        EXECUTE format('ALTER ROLE %I RESET ALL', role);
        EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', role, current_database());
        EXECUTE format('ALTER ROLE %I SET search_path = pg_catalog, pg_temp', role);
        EXECUTE format('ALTER ROLE %I SET log_min_messages = log', role);
        EXECUTE format('ALTER ROLE %I SET log_min_error_statement = panic', role);
        EXECUTE format('ALTER ROLE %I SET log_error_verbosity = terse', role);
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, role);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', service);
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), role);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END LOOP;

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('ALTER DATABASE %I SET search_path = pg_catalog, pg_temp', current_database());

    -- What runs with a superuser's rights stands where no service can write.
    CREATE SCHEMA IF NOT EXISTS privileged;
    SELECT nspowner INTO owner FROM pg_namespace WHERE nspname = 'privileged';
    IF owner IN (SELECT oid FROM pg_roles WHERE NOT rolsuper) THEN
        RAISE EXCEPTION 'schema privileged belongs to %, not to a superuser', owner::regrole;
    END IF;
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON SCHEMA privileged FROM PUBLIC;
GRANT USAGE ON SCHEMA privileged TO daypass_data;

-- Each database of a project is a schema, which belongs to data: it needs no right to make any other.
CREATE OR REPLACE FUNCTION privileged.create_database_schema(n bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF n IS NULL OR n < 1 THEN
        RAISE EXCEPTION 'numbers of databases begin with 1';
    END IF;
    EXECUTE format('CREATE SCHEMA db_%s AUTHORIZATION daypass_data', n);
END $$;
REVOKE ALL ON FUNCTION privileged.create_database_schema(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION privileged.create_database_schema(bigint) TO daypass_data;

-- The outbox: auth owns it and numbers its entries. auth's migrations let token call what it needs of it.
CREATE SCHEMA IF NOT EXISTS feed AUTHORIZATION daypass_auth;
REVOKE ALL ON SCHEMA feed FROM PUBLIC;
GRANT USAGE ON SCHEMA feed TO daypass_token;

RESET lock_timeout;
RESET client_min_messages;
