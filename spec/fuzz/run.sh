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

# What once broke a target is not changed further: much of it is large, and slow.
fuzz() {
    "$build/fuzz_$target" -print_final_stats=1 -timeout=25 -rss_limit_mb=3000 \
        -max_len=1024 "-artifact_prefix=$broken/" "$@" >>"$build/$target.log" 2>&1
}

# A line of what was done; after a crash, what the target said.
run_target() {
    target=$1 seeds=$build/seeds/$1 found=$build/corpus/$1 broken=spec/fuzz/regressions/$1
    make_seeds "spec/fuzz/seeds/$target.txt" "$seeds"
    mkdir -p "$found" "$broken"
    before=$(inputs "$broken")
    rm -f "$build/$target.log"
    fuzz -runs=0 "$seeds" "$broken"
    status=$?
    if [ "$status" = 0 ] && [ "$seconds" != 0 ]; then
        fuzz "-max_total_time=$seconds" -use_value_profile=1 "$found" "$seeds"
        status=$?
    fi
    crashes=$(($(inputs "$broken") - before))
    rmdir "$broken" 2>/dev/null
    awk -v name="$target" -v crashes="$crashes" '
        /^stat::number_of_executed_units/ { runs = $2 }
        { for (i = 1; i < NF; i++) if ($i == "ft:") features = $(i + 1) }
        END { printf "%s: %d runs, %d features, %d new crashes\n", name, runs, features, crashes }
    ' "$build/$target.log"
    [ "$status" = 0 ] || grep -v '^#[0-9]*\s' "$build/$target.log" | tail -60
    return "$status"
}

if [ "$#" = 0 ]; then
    # shellcheck disable=SC2046 # names are words
    set -- $(cd spec/fuzz && echo fuzz_*.c | sed 's/fuzz_//g; s/\.c//g')
fi
for name; do
    if run_target "$name"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
finish
