#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs targets of make one after another, whatever fails, and ends with what each of them
# counted, the names of what was skipped, and one line, `N passed, N failed[, N skipped]`.
#
# usage: spec/steps.sh FOLDER STEP...
#
# FOLDER  where the counts are kept
# STEP    the arguments of one make, as "test LUA=5.1"
set -u

folder=$1
shift
mkdir -p "$folder" && all=$folder/all && summary=$folder/summary && step_tally=$folder/step || exit
: >"$all"
: >"$summary"
trap 'exit 130' INT TERM HUP

# count FILE PASSED FAILED: the sums, each before its word.
count() {
    awk -v passed="$2" -v failed="$3" '{ p += $1; f += $2; s += $3 }
        END { print p + 0 passed f + 0 failed (s ? ", " s " skipped" : "") }' "$1"
}

failures() {
    awk '{ failed += $2 } END { print failed + 0 }' "$1"
}

for step; do
    echo "== make $step"
    : >"$step_tally"
    # shellcheck disable=SC2086 # a step is words
    if ! TALLY=$step_tally ${MAKE:-make} --no-print-directory $step &&
        [ "$(failures "$step_tally")" = 0 ]; then
        echo "FAILED: make $step ended early"
        echo "0 1 0" >>"$step_tally"
    fi
    cat "$step_tally" >>"$all"
    echo "   make $step: $(count "$step_tally" " ok, " " not ok")" >>"$summary"
done

echo "== what was run"
cat "$summary"
sed -n 's/^0 0 1 /   skipped: /p' "$all" | sort | uniq
count "$all" " passed, " " failed"
[ "$(failures "$all")" = 0 ]
