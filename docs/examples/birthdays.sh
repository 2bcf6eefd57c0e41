#!/bin/sh
# Birthdays: a backend acts for a user, and sees exactly what the user may see, for as long as the session lives.
#
# Reads DAYPASS_ENDPOINT, DAYPASS_PROJECT and DAYPASS_KEY, which `daypass up` writes into a file. Needs curl. It can be
# run again and again, and leaves nothing behind.
set -eu

run=$(date +%s)$$ # makes the ids of this run its own
database=birthdays-$run
rows=/tablesdb/$database/tables/birthdays/rows
key="X-Appwrite-Key: $DAYPASS_KEY"

# call CREDENTIAL METHOD PATH [JSON]: the answer's body; an error status ends the script
call() {
    answer=$(curl -sS --fail-with-body -X "$2" -H "X-Appwrite-Project: $DAYPASS_PROJECT" -H "$1" \
        -H "Content-Type: application/json" "$DAYPASS_ENDPOINT$3" ${4:+-d "$4"}) || {
        echo "$answer" >&2
        return 1
    }
    printf %s "$answer"
}

# refusal CREDENTIAL PATH: status and type of an error
refusal() {
    curl -sS -w ' %{http_code}' -H "X-Appwrite-Project: $DAYPASS_PROJECT" -H "$1" "$DAYPASS_ENDPOINT$2" |
        sed 's/.*"type":"\([^"]*\)".* \([0-9]*\)$/\2 \1/'
}

# member NAME: the first text of that name in the JSON that is read
member() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# seen CREDENTIAL: whose rows a caller may see
seen() {
    names=$(call "$1" GET "$rows" | grep -o '"name":"[^"]*"' | cut -d '"' -f 4 | paste -s -d , - | sed 's/,/, /g')
    echo "${names:-nothing}"
}

# expect WHAT SEEN EXPECTED: tells what is seen, and ends the script where it is not what was expected
expect() {
    echo "$1 $2"
    [ "$2" = "$3" ] || { echo "expected: $3" >&2; exit 1; }
}

clean_up() {
    call "$key" DELETE "/tablesdb/$database" || true
    for name in ada grace alan; do call "$key" DELETE "/users/$name-$run" || true; done
}
trap clean_up EXIT

call "$key" POST /tablesdb "{\"databaseId\": \"$database\", \"name\": \"Birthdays\"}" > /dev/null
call "$key" POST "/tablesdb/$database/tables" '{"tableId": "birthdays", "name": "Birthdays", "rowSecurity": true,
    "columns": [{"key": "name", "type": "varchar", "size": 64, "required": true},
                {"key": "birthday", "type": "datetime", "required": true}]}' > /dev/null
while read -r name birthday; do
    user=$name-$run
    call "$key" POST /users "{\"userId\": \"$user\", \"email\": \"$user@example.org\", \"name\": \"$name\",
        \"password\": \"correct horse battery\"}" > /dev/null
    call "$key" POST "$rows" "{\"rowId\": \"$name\", \"permissions\": [\"read(\\\"user:$user\\\")\"],
        \"data\": {\"name\": \"$name\", \"birthday\": \"$birthday\"}}" > /dev/null
done << END
ada 1815-12-10
grace 1906-12-09
alan 1912-06-23
END
echo "Three users, and a row for each that only its user may read."
expect "An API key sees" "$(seen "$key")" "ada, grace, alan"

# A caller with a key is shown the session's secret; a browser gets it as a cookie.
secret=$(call "$key" POST /account/sessions/email \
    "{\"email\": \"ada-$run@example.org\", \"password\": \"correct horse battery\"}" | member secret)
session="X-Appwrite-Session: $secret"
by_ada="X-Appwrite-JWT: $(call "$session" POST /account/jwts | member jwt)"
by_key="X-Appwrite-JWT: $(call "$key" POST "/users/ada-$run/jwts" | member jwt)"
echo "Ada signs in."
expect "A backend with a JWT made by Ada sees" "$(seen "$by_ada")" ada
expect "A backend with a JWT made by a key sees" "$(seen "$by_key")" ada

call "$session" DELETE /account/sessions/current
echo "Ada signs out."
expect "A backend with a JWT made by Ada sees" "$(seen "$by_ada")" nothing
expect "A backend with a JWT made by a key sees" "$(seen "$by_key")" nothing
expect "Her row:" "$(refusal "$by_ada" "$rows/ada")" "404 row_not_found"
expect "Her account:" "$(refusal "$by_key" /account)" "401 general_unauthorized_scope"
