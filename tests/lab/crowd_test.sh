#!/bin/bash
# The short form of tests/lab/crowd.
exec "$(dirname "$0")/crowd" 100 300
