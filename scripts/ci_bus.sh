#!/bin/sh
# The contract of the bus on memory, Valkey and a real Kafka broker: CI's step and `make test-bus`.
set -eu
cd "$(dirname "$0")/.."
if command -v java >/dev/null 2>&1 && .venv/bin/python -m scripts.engines.kafka fetch; then
  export FUTSTAR_KAFKA=1
elif command -v java >/dev/null 2>&1; then
  echo "SKIPPED LOUDLY: Kafka's jars cannot be had, so THE BUS WAS NOT TESTED ON KAFKA"
else
  echo "SKIPPED LOUDLY: no Java here, so THE BUS WAS NOT TESTED ON KAFKA"
fi
exec timeout "${BUS_TIMEOUT_S:-240}" .venv/bin/python -m pytest -rs --timeout 120 tests/ingest/bus tests/scripts/test_kafka_engine.py "$@"
