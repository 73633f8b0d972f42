#!/bin/sh
# Prints every secret docker-compose.yml asks for, freshly made: sh deploy/docker/new-secrets.sh > .env
set -eu
# A letter comes first: the NATS configuration would read some digits as a number. URLs take letters and digits as they are.
secret() { printf 's%s' "$(od -An -N 24 -tx1 /dev/urandom | tr -d ' \n')"; }
for name in AUTH_SECRET \
  NATS_GATEWAY_PASSWORD NATS_GROUP_SERVICE_PASSWORD NATS_MESSAGE_SERVICE_PASSWORD NATS_INTEGRATION_PASSWORD NATS_OPERATOR_PASSWORD \
  REDIS_GATEWAY_PASSWORD REDIS_MESSAGE_SERVICE_PASSWORD; do
  echo "$name=$(secret)"
done
