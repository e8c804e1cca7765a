#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the C tests and the specs against the emulator and ends with one line,
# `N passed, N failed[, N skipped]`, after the names of what was skipped. Fails when a test
# failed, a runner crashed or nothing was run.
#
# usage: spec/run-tests.sh BUILD LUA
#
# SPEC    a file or a folder alone: spec/api/x_spec.lua, spec/faults, spec/core/test_x.c
# WRAP    a command in front of each program, as valgrind
# TORTURE "full", or the title of a case: spec/torture in full, shown while it runs
# TALLY   a file to which lines "passed failed skipped [title]" are added; the total is then
#         left to whoever gave it
set -u

tally() {
    echo "$1 $2 $3" >>"$TALLY"
}

fail() {
    echo "FAILED: $*"
    tally 0 1 0
}

# What takes minutes is shown while it runs.
record() {
    if [ -n "${TORTURE:-}" ]; then tee "$log"; else cat >"$log"; fi
}

# A C test ends with a line "N passed, N failed"; what it wrote before is shown.
run_program() {
    { $WRAP "$1" 2>&1; echo $? >"$log.status"; } | record
    read -r status <"$log.status"
    counts=$(sed -n '$ s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log")
    if [ -z "$counts" ]; then
        cat "$log"
        fail "${1##*/} ended early (status $status)"
        return
    fi
    [ -n "${TORTURE:-}" ] || sed '$ d' "$log"
    echo "${1##*/}: ${counts% *} passed, ${counts#* } failed"
    tally "${counts% *}" "${counts#* }" 0
    if [ "$status" != 0 ] && [ "${counts#* }" = 0 ]; then
        fail "${1##*/} ended with status $status"
    fi
}

# The output goes straight to the terminal; the counts come through the tally.
run_specs() {
    before=$(failures)
    # shellcheck disable=SC2086 # WRAP is a command and its options
    $WRAP "$lua" spec/run-specs.lua "$@"
    status=$?
    if [ "$status" != 0 ] && [ "$(failures)" = "$before" ]; then
        fail "the specs ended with status $status"
    fi
}

failures() {
    awk '{ failed += $2 } END { print failed + 0 }' "$TALLY"
}

run_all() {
    log=$build/test.log
    case $SPEC in
    *.c) set -- "$build/test/$(basename "$SPEC" .c)" ;;
    ?*) set -- ;;
    *) set -- "$build"/test/test_* ;;
    esac
    for program in "$@"; do
        # The build folder may also hold a program whose source is no more.
        [ -z "$(find spec -name "${program##*/}.c")" ] || run_program "$program"
    done
    case $SPEC in
    *.c) ;;
    ?*) run_specs "$SPEC" ;;
    *) run_specs ;;
    esac
}

# The skipped by name, and one line. Fails unless something passed and nothing failed.
total() {
    sed -n 's/^0 0 1 /skipped: /p' "$TALLY"
    awk '{ passed += $1; failed += $2; skipped += $3 }
        END {
            printf "%d passed, %d failed", passed, failed
            print skipped ? ", " skipped " skipped" : ""
            exit failed > 0 || passed == 0
        }' "$TALLY"
}

if [ "$1" = --inside ]; then
    build=$2 lua=$3
    run_all
    exit 0
fi

sum=${TALLY:-}
TALLY=$1/tally
: >"$TALLY" || exit
export TALLY SPEC="${SPEC:-}" WRAP="${WRAP:-}"
spec/emulator/run "$0" --inside "$@" || fail "the emulator or the tests ended early"
if [ -n "$sum" ]; then
    cat "$TALLY" >>"$sum"
    total >/dev/null
else
    total
fi
