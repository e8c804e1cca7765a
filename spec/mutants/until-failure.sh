#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs C tests and specs in order until one fails, and names it. Inside emulator/run.
#
# usage: spec/mutants/until-failure.sh BUILD LUA TEST...
#
# TEST   spec/core/test_x.c, a spec or a folder of specs
set -u

build=$1 lua=$2
shift 2
# A mutant that allocates without end must not take the machine with it, nor one that loops for
# ever outlive its run: a program that it was in may have been started in the background.
ulimit -v 8000000
ulimit -t 400
export TALLY=/dev/null

# Programs expect the emulator as it is at first; a spec leaves it as it pleases.
reset() {
    [ -z "${EMULATOR_HTTP:-}" ] || "$lua" -e 'require("spec.support.emulator").reset()'
}

for test; do
    case $test in
    *.c) reset && timeout 120 "$build/test/$(basename "$test" .c)" ;;
    *) "$lua" spec/run-specs.lua --no-keep-going "$test" ;;
    esac >"$build/until-failure.log" 2>&1 || {
        echo "failed: $test"
        exit 1
    }
done
