#!/bin/sh
# Runs a command in the environment of Dagster's processes: eval sets DAGSTER_HOME and what `whalefall env` prints besides.
set -eu
eval "$(whalefall env)"
exec "$@"
