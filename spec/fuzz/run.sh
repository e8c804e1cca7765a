#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs each target of spec/fuzz for a while: first its seeds and what once broke it, then
# what clang's fuzzer makes of them. A line a target; fails when one crashed or a check in
# it did not hold. What broke it is kept in spec/fuzz/regressions/TARGET.
#
# usage: spec/fuzz/run.sh BUILD SECONDS [TARGET...]
#
# BUILD    where the targets are, and what they find that is new: BUILD/corpus/TARGET
# SECONDS  for each target; 0: seeds and regressions alone
# TALLY    as in spec/support/checks.sh
set -u

build=$1 seconds=$2
shift 2

. spec/support/checks.sh

# A line of seeds/TARGET.txt is an input, with escapes as printf has them.
make_seeds() {
    rm -rf "$2" && mkdir -p "$2" || return
    [ -f "$1" ] || return 0
    number=0
    while IFS= read -r line; do
        number=$((number + 1))
        printf '%b' "$line" >"$2/$number"
    done <"$1"
}

inputs() {
    find "$1" -type f | wc -l
}

# The last line of the output says what was done.
run_target() {
    seeds=$build/seeds/$1 found=$build/corpus/$1 broken=spec/fuzz/regressions/$1
    make_seeds "spec/fuzz/seeds/$1.txt" "$seeds"
    mkdir -p "$found" "$broken"
    [ "$seconds" = 0 ] && set -- "$1" -runs=0 "$seeds" "$broken" ||
        set -- "$1" "-max_total_time=$seconds" -use_value_profile=1 "$found" "$seeds" "$broken"
    before=$(inputs "$broken")
    "$build/fuzz_$1" -print_final_stats=1 -timeout=25 -rss_limit_mb=3000 \
        -max_len=1024 "-artifact_prefix=$broken/" "$@" >"$build/$1.log" 2>&1
    status=$?
    after=$(inputs "$broken")
    rmdir "$broken" 2>/dev/null
    awk -v name="$1" -v crashes=$((after - before)) '
        /^stat::number_of_executed_units/ { runs = $2 }
        { for (i = 1; i < NF; i++) if ($i == "ft:") features = $(i + 1) }
        END { printf "%s: %d runs, %d features, %d crashes\n", name, runs, features, crashes }
    ' "$build/$1.log"
    [ "$status" = 0 ] || grep -v '^#' "$build/$1.log" | tail -60
    return "$status"
}

[ "$#" -gt 0 ] || set -- $(ls spec/fuzz/fuzz_*.c | sed 's/.*fuzz_\(.*\)\.c/\1/')
for target; do
    check "$target" run_target "$target"
    [ "$failed" -gt 0 ] || sed 's/^/        /' "$temporary/output"
done
finish
