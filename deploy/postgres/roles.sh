#!/bin/sh
# Runs once, when the database's folder is new: its roles, each with the password that `lamplighter install --compose`
# has drawn. Drawn anew, they are set by running this in the container again.
set -eu
psql --no-psqlrc --quiet --username postgres --dbname postgres --file /run/secrets/database.sql
