#!/bin/sh
# Starts the application and the sidecar in front of it, passes signals on, and ends when the sidecar ends.
set -eu

[ "${TSBT_ROLE:-}" = resource-server ] || exit 127

application='' sidecar=''
trap 'kill -TERM ${sidecar:-$application}' TERM INT

# A socket in a folder that only this user can enter: nobody reaches the application but through the sidecar.
run=$(mktemp -d)
application "$run/application" &
application=$!
until [ -S "$run/application" ]; do
    kill -0 "$application" 2>/dev/null || exit 1
    sleep 0.05
done
sidecar "$run/application" &
sidecar=$!

# A signal ends a wait too; the sidecar's end is told by its being gone.
status=0
while kill -0 "$sidecar" 2>/dev/null; do
    status=0
    wait "$sidecar" || status=$?
done
kill -TERM "$application" 2>/dev/null || true
wait "$application" || true
rm -rf "$run"
exit "$status"
