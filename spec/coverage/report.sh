#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the branches of csrc that a build with --coverage took and missed, by file, and
# fails when they are too few. README.md beside this file says what is missed, and why.
#
# usage: spec/coverage/report.sh BUILD
set -u

counts=$1/coverage.json

# at_least PERCENT FOLDER
at_least() {
    report=$(gcovr --add-tracefile "$counts" --filter "$2/" --branches \
        --fail-under-branch "$1" 2>&1)
    status=$?
    echo "$report" | awk -v folder="$2" -v least="$1" '$1 == "TOTAL" {
        printf "%s: %d of %d branches, %.1f %% (at least %d %%)\n", folder, $3, $2, 100 * $3 / $2, least
    }'
    return "$status"
}

gcovr --root . --filter csrc/ --json "$counts" "$1" || exit
gcovr --add-tracefile "$counts" --branches
at_least 97 csrc/core
core=$?
at_least 92 csrc && [ "$core" = 0 ]
