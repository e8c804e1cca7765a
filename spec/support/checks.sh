# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the scripts that check what a spec cannot see: a line a check, and the total.
#
# TALLY   a file to which lines "passed failed skipped [title]" are added

passed=0
failed=0
skipped=0

temporary=$(mktemp -d) || exit
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT TERM HUP

# check TITLE COMMAND...: the command's output is shown only when it fails.
check() {
    title=$1
    shift
    if "$@" >"$temporary/output" 2>&1; then
        echo "ok      $title"
        passed=$((passed + 1))
    else
        echo "FAILED  $title"
        sed 's/^/        /' "$temporary/output"
        failed=$((failed + 1))
    fi
}

# skip TITLE, which says why
skip() {
    echo "skipped $1"
    skipped=$((skipped + 1))
    [ -z "${TALLY:-}" ] || echo "0 0 1 $1" >>"$TALLY"
}

finish() {
    echo "$passed checks ok, $failed failed, $skipped skipped"
    [ -z "${TALLY:-}" ] || echo "$passed $failed 0" >>"$TALLY"
    [ "$failed" = 0 ]
}

# exports_alone MODULE: nothing but what Lua looks for.
exports_alone() {
    exports=$(nm -D --defined-only "$1") || return
    echo "$exports"
    [ "$(echo "$exports" | awk '{ print $NF }')" = luaopen_tagoio_core ]
}
