#!/bin/sh
# SPDX-License-Identifier: MIT
# Looks for what the build, the emulator, the tests and the checks need, and installs the
# Debian packages of what is missing. Silent when everything is there.
#
# usage: spec/setup.sh GROUP...        groups: build emulator test hosts check packaging doc
#                                      memcheck coverage fuzz bench bench-nginx
#
# LUA (5.4) chooses the Lua; CC, LUA_BIN and LUA_CFLAGS are those of the Makefile.
# SETUP=no installs nothing: it prints what is missing, and the command that installs it.
set -u

LUA=${LUA:-5.4}
CC=${CC:-cc}

case $LUA in
# The other luajit of Debian conflicts with the one of nginx.
luajit) lua=luajit lua_package=luajit2 lua_dev=libluajit2-5.1-dev lua_brew=luajit ;;
5.4 | 5.5) lua=lua$LUA lua_dev=liblua$LUA-dev lua_brew=lua ;;
*) lua=lua$LUA lua_dev=liblua$LUA-dev lua_brew=lua@$LUA ;;
esac
LUA_BIN=${LUA_BIN:-$lua}
# Not LuaJIT's for 5.1, although they say that they are.
[ "$LUA" = luajit ] && headers=luajit-2.1 || headers=$lua
LUA_CFLAGS=${LUA_CFLAGS:--I/usr/include/$headers -I/usr/local/include/$headers}
[ "$CC" = cc ] && compiler=gcc || compiler=${CC%% *}

# A line a thing: who needs it, how to look for it, the packages of Debian, of Homebrew.
things() {
    cat <<EOF_THINGS
build     command     ${CC%% *}       $compiler                     -
build     header      stdio.h         libc6-dev                     -
build     header      curl/curl.h     libcurl4-openssl-dev          curl
build     header      jansson.h       libjansson-dev                jansson
build     lua_header  lua.h           $lua_dev                      $lua_brew
build     command     $LUA_BIN        ${lua_package:-$lua}                          $lua_brew
emulator  nginx_lua   nginx+lua       nginx,libnginx-mod-http-lua   openresty/brew/openresty
emulator  nginx_dkjson nginx+dkjson  lua-dkjson                    luarocks,rock:dkjson
emulator  command     openssl         openssl                       openssl
test      module      busted.runner   lua-busted                    luarocks,rock:busted
test      module      socket          lua-socket                    luarocks,rock:luasocket
test      module      ssl             lua-sec                       luarocks,rock:luasec
test      module      cjson           lua-cjson                     luarocks,rock:lua-cjson
test      module      luv             lua-luv                       luarocks,rock:luv
test      module      dkjson          lua-dkjson                    luarocks,rock:dkjson
hosts     module      cqueues         lua-cqueues                   luarocks,rock:cqueues
hosts     command     nvim            neovim                        neovim
hosts     daemon      haproxy         haproxy                       haproxy
hosts     command     tarantool       tarantool                     tarantool
hosts     command     strace          strace                        -
check     command     nm              binutils                      -
check     command     clang-format    clang-format                  clang-format
check     command     gcc             gcc                           -
check     command     clang-tidy      clang-tidy                    llvm
check     command     cppcheck        cppcheck                      cppcheck
check     command     luacheck        lua-check                     luacheck
check     command     lua5.1          lua5.1                        lua@5.1
packaging command     nm              binutils                      -
packaging command     git             git                           git
packaging command     luarocks        luarocks                      luarocks
packaging command     pkg-config      pkg-config                    pkgconf
fuzz      command     clang           clang                         llvm
fuzz      fuzzer      libFuzzer       libclang-rt-14-dev            llvm
doc       command     ldoc            lua-ldoc                      luarocks,rock:ldoc
doc       discount    discount        lua-discount                  luarocks,rock:discount
bench-nginx command   wrk             wrk                           wrk
memcheck  command     valgrind        valgrind                      valgrind
coverage  command     gcovr           gcovr                         gcovr
bench     command     gnuplot         gnuplot-nox                   gnuplot
bench     command     npm             nodejs,npm                    node
bench     python      requests        python3-requests              -
EOF_THINGS
}

# ---- looking ----

has_command() {
    command -v "$1" >/dev/null
}

# Without a compiler the usual folders must do: another package may already provide it.
has_header() {
    if has_command "${CC%% *}"; then
        printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$1" | $CC -E -x c - >/dev/null 2>&1
    else
        for file in /usr/include/"$1" /usr/include/*/"$1" /usr/local/include/"$1"; do
            [ -e "$file" ] && return
        done
        return 1
    fi
}

has_lua_header() {
    case $LUA in
    luajit) condition='#include <luajit.h>' ;;
    *) condition="#if LUA_VERSION_NUM != ${LUA%.*}0${LUA#*.}
#error
#endif" ;;
    esac
    # shellcheck disable=SC2086 # flags are words
    printf '#include <%s>\n%s\n' "$1" "$condition" | $CC $LUA_CFLAGS -E -x c - >/dev/null 2>&1
}

has_module() {
    "$LUA_BIN" -e "require '$1'" >/dev/null 2>&1
}

has_fuzzer() {
    has_file "$(clang -print-runtime-dir 2>/dev/null)"/libclang_rt.fuzzer*
}

# For Debian's own Python, whatever others are in the PATH.
has_python() {
    /usr/bin/python3 -c "import $1" >/dev/null 2>&1
}

has_file() {
    for file in "$@"; do
        [ -e "$file" ] && return
    done
    return 1
}

# These are often outside an ordinary user's PATH.
has_daemon() {
    has_command "$1" || [ -x "/usr/sbin/$1" ]
}

# openresty has the module built in.
has_nginx_lua() {
    has_command openresty && return
    has_daemon nginx || return
    has_file /usr/share/nginx/modules/ngx_http_lua_module.so \
        /usr/lib/nginx/modules/ngx_http_lua_module.so
}

# What LuaJIT inside nginx loads, whatever Lua the tests run on.
has_nginx_dkjson() {
    has_file /usr/share/lua/5.1/dkjson.lua /usr/local/share/lua/5.1/dkjson.lua \
        /opt/homebrew/share/lua/5.1/dkjson.lua
}

# What ldoc loads for Markdown, whatever Lua it runs on.
has_discount() {
    has_file /usr/lib/*/lua/5.?/discount.so /usr/local/lib/lua/5.?/discount.so
}

# The missing things of some groups, a line each: what, Debian's packages, Homebrew's.
missing() {
    things | while read -r group kind what debian brew; do
        case " $* " in *" $group "*) ;; *) continue ;; esac
        "has_$kind" "$what" || echo "$what $debian $brew"
    done
}

# One column of `missing`, as words, each once.
column() {
    echo "$lacking" | cut -d ' ' -f "$1" | tr ',' '\n' | awk '$0 != "-" && !seen[$0]++' | tr '\n' ' '
}

# ---- installing ----

say() {
    echo "set-up: $*" >&2
}

package_lists() {
    find /var/lib/apt/lists -name '*_Packages*' 2>/dev/null | head -n 1
}

# The privileged half: runs as root, its arguments are packages.
install_packages() {
    log=$(mktemp)
    policy=
    new_services=
    trap 'restore_services' EXIT
    trap 'exit 130' INT TERM HUP
    leave_services_alone "$@"
    [ -n "$(package_lists)" ] || apt_get update
    apt_get install "$@" && return
    # The lists may be older than the packages on the mirror.
    apt_get update && apt_get install "$@" && return
    cat "$log" >&2
    return 1
}

# apt-get with a dot for each step it reports, all else in the log.
apt_get() {
    export DEBIAN_FRONTEND=noninteractive
    action=$1
    shift
    status=$(
        {
            apt-get -o DPkg::Lock::Timeout=120 "$action" -y --no-remove --no-install-recommends "$@" 2>&1
            echo "status $?"
        } | tee "$log" | {
            code=1
            while read -r word rest; do
                case $word in
                Get:* | Unpacking | Setting) printf . >&2 ;;
                status) code=$rest ;;
                esac
            done
            echo "$code"
        }
    )
    echo >&2
    return "$status"
}

# The tests run these themselves: Debian's services must take no port because of us.
leave_services_alone() {
    wanted=
    for service in nginx haproxy tarantool; do
        case " $* " in *" $service "*) ;; *) continue ;; esac
        wanted=yes
        [ -e /etc/init.d/$service ] || new_services="$new_services $service"
    done
    if [ -z "$wanted" ] || [ -e /usr/sbin/policy-rc.d ]; then
        return
    fi
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
}

restore_services() {
    [ -z "$policy" ] || rm -f "$policy"
    for service in $new_services; do
        [ -e "/etc/init.d/$service" ] || continue
        update-rc.d "$service" disable >/dev/null 2>&1
        deb-systemd-helper disable "$service.service" >/dev/null 2>&1
    done
    rm -f "$log"
}

# How to become root, or nothing that can be done.
become_root() {
    [ "$(id -u)" = 0 ] && return
    has_command sudo || return
    if sudo -n true 2>/dev/null || [ -t 0 ]; then
        sudo=sudo
    else
        return 1
    fi
}

# Whether the chosen Lua is a package here, as far as the lists of packages tell.
debian_has_lua() {
    [ "$LUA" != 5.5 ] || [ -z "$(package_lists)" ] ||
        [ -n "$(apt-cache search --names-only "^$lua_dev\$" 2>/dev/null)" ]
}

lua_by_hand() {
    say "missing: $(column 1)"
    say "Debian has no package of Lua $LUA here. Build it from https://www.lua.org/ftp, and say"
    echo "  make LUA=$LUA LUA_BIN=/path/bin/lua LUA_CFLAGS=-I/path/include LUA_LIBS='-L/path/lib -llua'" >&2
    rocks=$(column 3 | tr ' ' '\n' | sed -n 's/^rock://p' | tr '\n' ' ')
    [ -z "$rocks" ] || say "its modules, with a LuaRocks for Lua $LUA: $rocks"
    others=$(echo "$packages" | tr ' ' '\n' | grep -v '^lua\|^liblua' | tr '\n' ' ')
    [ -z "${others# }" ] || say "Debian's packages of the rest: $others"
}

debian() {
    packages=$(column 2)
    packages=${packages% }
    if ! debian_has_lua; then
        lua_by_hand
        return 1
    fi
    sudo=
    if [ "${SETUP:-yes}" = no ] || ! become_root; then
        say "missing: $(column 1)"
        say "to install it, type"
        echo "  sudo apt-get install -y --no-install-recommends $packages" >&2
        case " $packages " in *" nginx "*)
            say "(nginx's own service is not needed: sudo systemctl disable --now nginx)"
            ;;
        esac
        return 1
    fi
    say "installing${sudo:+ with sudo}: $packages"
    # shellcheck disable=SC2086 # packages are words
    $sudo sh "$0" --install $packages || return
    lacking=$(missing "$@")
    [ -z "$lacking" ] && return
    say "installed, but still missing: $(column 1)"
    return 1
}

other_system() {
    say "missing: $(column 1)"
    if [ "$(uname -s)" = Darwin ]; then
        formulae=$(column 3 | tr ' ' '\n' | grep -v : | tr '\n' ' ')
        rocks=$(column 3 | tr ' ' '\n' | sed -n 's/^rock://p' | tr '\n' ' ')
        say "to install it, type"
        [ -z "$formulae" ] || echo "  brew install $formulae" >&2
        for rock in $rocks; do
            echo "  luarocks install $rock" >&2
        done
    else
        say "Debian's names of the packages: $(column 2)"
    fi
    return 1
}

if [ "${1:-}" = --install ]; then
    shift
    install_packages "$@"
    exit
fi

lacking=$(missing "$@")
if [ -z "$lacking" ]; then
    exit 0
elif has_command apt-get; then
    debian "$@"
else
    other_system
fi
