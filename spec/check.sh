#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks what a test cannot see: the layers and the exports, read from the objects, the
# style, the static analysis and the installation. A line a check.
#
# usage: spec/check.sh BUILD LUA_BIN LUA_ABI
#
# CC, MAKE, DIALECT as in the Makefile; TALLY as in spec/support/checks.sh
set -u

build=$1 lua=$2 abi=$3
objects=$build/obj/csrc
module=$build/tagoio/core.so

. spec/support/checks.sh

# ---- layers and exports ----

# needs_no PATTERN OBJECT...: no symbol that the objects take from elsewhere matches.
needs_no() {
    pattern=$1
    shift
    symbols=$(nm -A -u "$@") || return
    ! echo "$symbols" | grep -E " U $pattern"
}

# includes_no PATTERN FOLDER...
includes_no() {
    pattern=$1
    shift
    ! grep -rnE "^ *# *include *$pattern" "$@"
}

# ---- style and analysis ----

# Names the files alone; make format does the rest.
formatted() {
    complaints=$(find csrc spec -name '*.[ch]' -exec clang-format --dry-run --Werror {} + 2>&1) ||
        ! echo "$complaints" | sed -n 's/:[0-9]*:[0-9]*: error: .*//p' | sort -u | grep .
}

# The check is checked, too. What begins with an underscore belongs to self alone.
keeps_private() {
    pattern='(^|[^A-Za-z0-9_])([A-Za-z0-9_]+|[])}])[.]_[A-Za-z]'
    echo 'local core = client._core' | grep -qE "$pattern" || return
    ! grep -rnoE "$pattern" lua/tagoio | grep -v ':[^:]*self[.]_[A-Za-z]$'
}

# A rockspec by its name would mean the modules that it lists.
linted() {
    luacheck -q --no-color lua spec || return
    for file in rockspec/*.rockspec; do
        luacheck -q --no-color --filename "$file" - <"$file" || return
    done
}

# The check is checked, too: it must find what it looks for, however deep.
keeps_loops() {
    bad='for i = 1, 3 do local function inner() for _, x in f() do x = i end end end'
    echo "$bad" >"$temporary/bad.lua"
    if lua5.1 spec/loops.lua "$temporary/bad.lua"; then
        echo "not found: $bad"
        return 1
    fi
    find lua spec -name '*.lua' -exec lua5.1 spec/loops.lua {} +
}

analysed="csrc spec/core spec/curl spec/concurrency spec/torture spec/fuzz spec/support"
found_by_tests="-I $build -I spec/support/kqueue"

# each_source COMMAND...: the command for each C file, in the place of FILE.
each_source() {
    # shellcheck disable=SC2086 # folders are words
    complaints=$(find $analysed -name '*.c' | xargs -P 2 -I FILE "$@" 2>&1) || {
        echo "$complaints" | grep -a -v '^[0-9]* warnings\{0,1\} generated'
        return 1
    }
}

# Nothing but findings is printed, and one of any severity counts.
analysed_by_cppcheck() {
    # shellcheck disable=SC2086 # folders are words
    cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
        --error-exitcode=1 -I csrc -I spec $analysed
}

# Inlining lets it see further than a function.
analysed_by_gcc() {
    # shellcheck disable=SC2086 # flags are words
    each_source gcc $DIALECT $found_by_tests -fPIC -O2 -fanalyzer -Werror -c -o /dev/null FILE
}

# clang's analyzer among others: see .clang-tidy and spec/.clang-tidy.
analysed_by_clang() {
    # shellcheck disable=SC2086 # flags are words
    each_source clang-tidy --quiet FILE -- $DIALECT $found_by_tests
}

documented() {
    ldoc --fatalwarnings --quiet --dir "$temporary/doc" .
}

# ---- macOS and the BSDs ----

# The half of the poller that Linux does not use, on a kqueue of the specs' own.
polls_by_kqueue() {
    ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -DTAGOIO_KQUEUE \
        -Icsrc -Ispec -Ispec/support/kqueue -o "$temporary/poller" spec/curl/test_poller.c \
        spec/support/check.c spec/support/kqueue/kqueue.c csrc/curl/poller.c &&
        "$temporary/poller"
}

# ---- installation ----

loads() {
    share=$1/share/lua/$abi lib=$1/lib/lua/$abi
    (cd / && env -i PATH="$PATH" LUA_PATH="$share/?.lua" LUA_CPATH="$lib/?.so" \
        "$lua" -e 'assert(require("tagoio")._VERSION)')
}

installs() {
    ${MAKE:-make} install WERROR=-Werror DESTDIR="$temporary/dest" PREFIX=/usr &&
        loads "$temporary/dest/usr"
}

uninstalls() {
    ${MAKE:-make} uninstall DESTDIR="$temporary/dest" PREFIX=/usr || return
    ! find "$temporary/dest" ! -type d | grep .
}

check "core/ and curl/ need no Lua" \
    needs_no 'luaL?_' "$objects"/core/*.o "$objects"/curl/*.o
check "only curl/ needs libcurl" \
    needs_no 'curl_' "$objects"/core/*.o "$objects"/lua/*.o
check "core/ includes neither Lua nor libcurl" \
    includes_no '[<"](lua|lauxlib|curl/)' csrc/tagoio.h csrc/core
check "curl/ includes no Lua, lua/ no libcurl" \
    eval 'includes_no "[<\"](lua|lauxlib)" csrc/curl && includes_no "<curl/" csrc/lua'
check "curl/ and lua/ include of the core tagoio.h alone" \
    includes_no '"core/' csrc/curl csrc/lua $([ ! -d csrc/host ] || echo csrc/host)
check "the module exports luaopen_tagoio_core alone" exports_alone "$module"
check "clang-format would change nothing" formatted
check "luacheck is silent" linted
check "no Lua module reads another's private fields" keeps_private
check "no variable of a for loop is assigned" keeps_loops
check "cppcheck is silent" analysed_by_cppcheck
check "gcc's analyzer is silent" analysed_by_gcc
check "clang-tidy is silent" analysed_by_clang
check "ldoc warns of nothing" documented
if [ "$(uname -s)" = Linux ]; then
    check "the poller does by kqueue what it does by epoll" polls_by_kqueue
else
    skip "the poller by kqueue: make test runs it here"
fi
check "make install: require \"tagoio\" works" installs
check "make uninstall leaves no file" uninstalls

finish
