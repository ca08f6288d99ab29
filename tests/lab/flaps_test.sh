#!/bin/bash
# The short form of tests/lab/flaps.
exec "$(dirname "$0")/flaps" 12
