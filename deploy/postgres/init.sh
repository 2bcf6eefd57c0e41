#!/bin/bash
# Roles and schemas, with the passwords that are mounted as secrets; run at the first start, harmless ever after.
# The server reads the files itself, so that no password is an argument of a process or a line of a log.
export PGHOST=/var/run/postgresql PGOPTIONS="-c search_path=pg_catalog,pg_temp"
psql -X -q -v ON_ERROR_STOP=1 -U postgres -d "${POSTGRES_DB:-daypass}" -o /dev/null \
    -c "SELECT set_config('daypass.' || service || '_password',
            btrim(pg_read_file('/run/secrets/' || service || '_postgres_password'), E' \n'), false)
        FROM unnest(ARRAY['auth', 'token', 'data', 'storage']) AS service" \
    -f /usr/local/share/daypass/roles.sql \
    -c "REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC"
