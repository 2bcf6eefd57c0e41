#!/bin/sh
# The same with curl: sign in, make a JWT, use it, sign out, try again. Needs a user: ADDRESS and PASSWORD.
set -eu
project="X-Appwrite-Project: $DAYPASS_PROJECT"
json="Content-Type: application/json"
cookies=$(mktemp)
trap 'rm -f "$cookies"' EXIT

curl -sf -c "$cookies" -H "$project" -H "$json" "$DAYPASS_ENDPOINT/account/sessions/email" \
    -d "{\"email\": \"$ADDRESS\", \"password\": \"$PASSWORD\"}" > /dev/null
jwt=$(curl -sf -b "$cookies" -H "$project" -X POST "$DAYPASS_ENDPOINT/account/jwts" | sed 's/.*"jwt":"\([^"]*\)".*/\1/')

echo "signed in:  $(curl -s -o /dev/null -w '%{http_code}' -H "$project" -H "X-Appwrite-JWT: $jwt" "$DAYPASS_ENDPOINT/account")"
curl -sf -b "$cookies" -H "$project" -X DELETE "$DAYPASS_ENDPOINT/account/sessions/current"
echo "signed out: $(curl -s -o /dev/null -w '%{http_code}' -H "$project" -H "X-Appwrite-JWT: $jwt" "$DAYPASS_ENDPOINT/account")"
