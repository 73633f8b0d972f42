#!/bin/sh
# Redis for presence and rate limits: a user per service with its own keys and commands, nothing on disk.
# The configuration comes on standard input, so that no password stands in the list of processes.
set -eu
: "${REDIS_GATEWAY_PASSWORD:?}" "${REDIS_MESSAGE_SERVICE_PASSWORD:?}"
exec redis-server - "$@" <<CONFIG
save ""
appendonly no
maxmemory 200mb
maxmemory-policy noeviction
protected-mode no
user default on nopass resetkeys resetchannels -@all +ping
user gateway on >${REDIS_GATEWAY_PASSWORD} resetchannels ~presence:* ~node:* ~rate:* -@all +@read +@write +@scripting +@transaction +@connection -@dangerous +info +time
user message-service on >${REDIS_MESSAGE_SERVICE_PASSWORD} resetchannels ~presence:* %R~node:* -@all +@read +hdel +eval +@transaction +@connection -@dangerous +info
CONFIG
