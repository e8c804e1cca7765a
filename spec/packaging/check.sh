#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks that the module installs as users install it: a rock out of a server of rocks, with
# libraries in places of the user's own, with too old ones, with a static one. A line a check.
#
# usage: spec/packaging/check.sh BUILD LUA_BIN
#
# CC, MAKE as in the Makefile; TALLY as in spec/support/checks.sh
set -u

build=$1 lua_bin=$2
root=$(pwd)
CC=${CC:-cc}
rocks_luas="5.1 5.3 5.4"

. spec/support/checks.sh

version=$(sed -n 's/^#define TAGOIO_VERSION "\(.*\)"$/\1/p' csrc/tagoio.h)
server=$temporary/server

# LuaRocks of one Lua, into a tree of its own, deaf to the user's configuration.
luarocks_in() {
    lua=$1 tree=$2
    shift 2
    env -u LUA_PATH -u LUA_CPATH HOME="$temporary/home" \
        luarocks --lua-version="$lua" --tree="$tree" "$@"
}

# ---- the rock ----

# A repository with the tag of the release, and the rockspec as its publisher has it.
make_repository() (
    mkdir -p "$temporary/home" "$temporary/repository" "$server" &&
        cp -R csrc lua rockspec LICENSE README.md "$temporary/repository" &&
        cd "$temporary/repository" &&
        sed -i.orig "s|^local repository = .*|local repository = \"file://$PWD\"|" \
            rockspec/*.rockspec &&
        git init -q && git add . &&
        git -c user.name=Nobody -c user.email=nobody@localhost commit -q -m Release &&
        git tag "v$version"
)

serves_rock() (
    make_repository && cd "$server" &&
        luarocks_in 5.4 "$temporary/none" pack \
            "$temporary/repository/rockspec/tagoio-$version-1.rockspec" &&
        env HOME="$temporary/home" luarocks-admin --lua-version=5.4 make-manifest . &&
        ls "tagoio-$version-1.src.rock"
)

installs_rock() (
    cd / && luarocks_in "$1" "$temporary/tree$1" install --only-server="$server" tagoio
)

# A script in another folder, by a user who set nothing but the paths.
works() (
    tree=$temporary/tree$1
    cp "$root/spec/packaging/smoke.lua" "$temporary" && cd "$temporary/home" &&
        env -i PATH="$PATH" LUA_PATH="$tree/share/lua/$1/?.lua" \
            LUA_CPATH="$tree/lib/lua/$1/?.so" "lua$1" ../smoke.lua "$version"
)

# LuaRocks copies whatever is in the folder "lua" as well; other rocks are beside ours.
is_named_tagoio() {
    ls "$temporary/tree$1/share/lua/$1" && ! ls "$temporary/tree$1/share/lua/$1" | grep -v '^tagoio'
}

# LuaRocks keeps a list of nothing.
leaves_nothing() {
    luarocks_in "$1" "$temporary/tree$1" remove tagoio || return
    ! find "$temporary/tree$1" ! -type d ! -name 'manifest*' | grep .
}

# ---- the C library ----

make_c() {
    ${MAKE:-make} "$1" WERROR=-Werror DESTDIR= PREFIX="$temporary/c"
}

# Users write <tagoio/NAME.h>, and none of it clashes with names of their own.
defines_ours_alone() {
    names=$(nm --defined-only -g "$temporary/c/lib/libtagoio.a") || return
    echo "$names" | grep -q ' T tagoio_pool_new$' &&
        ! echo "$names" | awk 'NF == 3 { print $3 }' | grep -v '^_*tagoio_'
}

pkg_config() {
    PKG_CONFIG_PATH="$temporary/c/lib/pkgconfig" pkg-config "$@" tagoio
}

# In a folder where nothing of the project can be found.
builds_with_pkg_config() (
    [ "$(pkg_config --modversion)" = "$version" ] || return
    cp spec/packaging/installed.c "$temporary/home" && cd "$temporary/home" || return
    # shellcheck disable=SC2046 # flags are words
    "$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror -D_POSIX_C_SOURCE=200809L \
        -o installed installed.c $(pkg_config --cflags --libs)
)

# The emulator answers no list before it was asked for two.
drives_two_at_once() {
    echo 'require("spec.support.emulator").inject({
        match = { method = "GET", path = "/profile" }, times = 2, hold_until = 2 })' \
        >"$temporary/hold.lua"
    printf '%s\n' Factory "3 rows" "3 rows" >"$temporary/expected"
    spec/emulator/run sh -c '"$@" && exec "$0"' "$temporary/home/installed" \
        env LUA_PATH="lua/?.lua;?.lua;;" LUA_CPATH="$build/?.so;;" "$lua_bin" "$temporary/hold.lua" \
        >"$temporary/printed" &&
        diff "$temporary/expected" "$temporary/printed"
}

leaves_no_c() {
    make_c uninstall-c && ! find "$temporary/c" ! -type d | grep .
}

# ---- libraries of the user's own ----

# A prefix whose header stops the compiler with a message of its own.
make_prefix() {
    mkdir -p "$temporary/$1/include/$(dirname "$2")" "$temporary/$1/lib" &&
        echo "#error the header of $1" >"$temporary/$1/include/$2"
}

# fails_with TEXT VARIABLE=VALUE...: LuaRocks builds with these variables, and ends so.
fails_with() (
    text=$1
    shift
    cd "$temporary/repository" || return
    ! luarocks_in 5.4 "$temporary/none" make "$@" >"$temporary/rock.log" 2>&1 || return
    grep -F "$text" "$temporary/rock.log" || { cat "$temporary/rock.log" && false; }
)

# refuses HEADER WORDS OPTION...: the compiler names the packages to install.
refuses() {
    header=$1 words=$2
    shift 2
    ! echo "#include \"$header\"" |
        "$CC" -std=c11 -Icsrc "$@" -E -x c - >/dev/null 2>"$temporary/refused" || return
    cat "$temporary/refused"
    for word in $words Debian Alpine Fedora Homebrew; do
        grep -qF -e "$word" "$temporary/refused" || return
    done
}

make_old() {
    mkdir -p "$temporary/old/curl" &&
        echo '#define LIBCURL_VERSION_NUM 0x074f01' >"$temporary/old/curl/curl.h" &&
        echo '#define JANSSON_VERSION_HEX 0x020c00' >"$temporary/old/jansson.h"
}

# A libcurl of functions that do nothing: what the module takes from it, in an archive.
links_static() {
    mkdir -p "$temporary/static/lib" "$temporary/static/include" || return
    nm -u "$build"/obj/csrc/curl/*.o |
        sed -n 's/^ *U \(curl_[a-z0-9_]*\)$/void \1(void);void \1(void){}/p' |
        sort -u >"$temporary/static.c"
    "$CC" -fPIC -c -o "$temporary/static.o" "$temporary/static.c" &&
        ar rcs "$temporary/static/lib/libcurl.a" "$temporary/static.o" &&
        ${MAKE:-make} all CURL_DIR="$temporary/static" BUILD="$temporary/static/build" &&
        nm "$temporary/static/build/tagoio/core.so" | grep ' [tT] curl_multi_init' &&
        exports_alone "$temporary/static/build/tagoio/core.so"
}

# As dpkg-buildflags would have it: read-only relocations, bound at once, guarded stacks.
hardened() {
    readelf -lW "$1" | grep GNU_RELRO && readelf -dW "$1" | grep -E 'BIND_NOW|NOW' &&
        nm -D "$1" | grep __stack_chk_fail && nm -D "$1" | grep '__[a-z]*_chk\b'
}

for file in rockspec/*.rockspec; do
    check "luarocks lint $file" luarocks_in 5.4 "$temporary/none" lint "$file"
done
check "the rock of the release is packed and served" serves_rock
for lua in $rocks_luas; do
    LUA=$lua spec/setup.sh build || { skip "the rock on Lua $lua: it is not there" && continue; }
    check "Lua $lua: luarocks install, from a server of rocks" installs_rock "$lua"
    check "Lua $lua: the rock exports luaopen_tagoio_core alone" \
        exports_alone "$temporary/tree$lua/lib/lua/$lua/tagoio/core.so"
    check "Lua $lua: the rock works from another folder" works "$lua"
    check "Lua $lua: all that the rock installs is named tagoio" is_named_tagoio "$lua"
    check "Lua $lua: luarocks remove leaves nothing" leaves_nothing "$lua"
done

check "make install-c" make_c install-c
check "libtagoio.a defines names that begin with tagoio_ alone" defines_ours_alone
check "a C program builds with what pkg-config says, outside of this folder" \
    builds_with_pkg_config
check "it performs an operation, and two at once in a poll loop of its own" drives_two_at_once
check "make uninstall-c leaves nothing" leaves_no_c

make_prefix curl_dir curl/curl.h && make_prefix jansson_dir jansson.h && make_old
check "LuaRocks honours CURL_DIR" \
    fails_with "the header of curl_dir" CURL_DIR="$temporary/curl_dir"
check "LuaRocks honours JANSSON_DIR" \
    fails_with "the header of jansson_dir" JANSSON_DIR="$temporary/jansson_dir"
check "LuaRocks honours CFLAGS" fails_with "the header of jansson_dir" \
    CFLAGS="-O0 -fPIC -include $temporary/jansson_dir/include/jansson.h"
check "a missing libcurl is named with its packages" \
    refuses curl/libcurl.h "missing libcurl4-openssl-dev curl-dev libcurl-devel" -nostdinc
check "a libcurl before 7.80 is refused, with the packages of a newer one" \
    refuses curl/libcurl.h "7.80 libcurl4-openssl-dev curl-dev libcurl-devel" -I"$temporary/old"
check "a missing jansson is named with its packages" \
    refuses tagoio.h "missing libjansson-dev jansson-dev jansson-devel" -nostdinc
check "a jansson before 2.13 is refused, with the packages of a newer one" \
    refuses tagoio.h "2.13 libjansson-dev jansson-dev jansson-devel" -I"$temporary/old"
if [ "$(uname -s)" = Linux ]; then
    check "with a static libcurl luaopen_tagoio_core alone is exported" links_static
    check "make hardens the module" hardened "$build/tagoio/core.so"
else
    skip "a static libcurl, hardening: they are checked on Linux"
fi

finish
