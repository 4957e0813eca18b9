#!/bin/sh
# A standby: copies the primary when its own data folder is new, then follows it. What it needs for that, the password
# too, is written into its own data folder by pg_basebackup.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  PGPASSWORD="$(cat /run/secrets/replication_password)" pg_basebackup --pgdata "$PGDATA" --wal-method stream \
    --checkpoint fast --create-slot --slot "$STANDBY" --write-recovery-conf \
    --dbname "host=db1 user=replicator application_name=$STANDBY"
  chmod 0700 "$PGDATA"
fi
exec postgres
