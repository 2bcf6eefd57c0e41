-- Roles and schemas of Daypass: run in its database, by a superuser, before the services start, as often as you like.
-- Each service has a schema of its own and sees no other; its tables are its own migrations' business.
--
-- The passwords come in as settings of the session, for example
--     SELECT set_config('daypass.auth_password', …, false);
-- and likewise daypass.token_password and daypass.data_password.

DO $$
DECLARE
    service  text;
    role     text;
    password text;
BEGIN
    FOREACH service IN ARRAY ARRAY['auth', 'token', 'data'] LOOP
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
                'ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L',
                role, password
            );
        EXCEPTION WHEN OTHERS THEN
            -- the original error would quote the statement, and the password in it, in the server's log
            RAISE EXCEPTION 'the password of % could not be set: %', role, SQLERRM;
        END;
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, role);
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', service);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END LOOP;

    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    -- each of its databases is a schema, which data makes itself
    EXECUTE format('GRANT CREATE ON DATABASE %I TO daypass_data', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- The outbox: auth owns it and numbers its entries. auth's migrations grant token what it needs of the tables.
CREATE SCHEMA IF NOT EXISTS feed AUTHORIZATION daypass_auth;
REVOKE ALL ON SCHEMA feed FROM PUBLIC;
GRANT USAGE ON SCHEMA feed TO daypass_token;
