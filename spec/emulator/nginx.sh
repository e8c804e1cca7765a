# SPDX-License-Identifier: MIT
# How an nginx of our own is started: on free ports, as whoever we are, in a folder of its own.
# For scripts that source it.

# openresty, or the nginx of Debian, which is often outside an ordinary user's PATH.
find_nginx() {
    command -v openresty || command -v nginx || {
        [ -x /usr/sbin/nginx ] && echo /usr/sbin/nginx
    } || {
        echo "neither openresty nor nginx was found; on Debian: nginx libnginx-mod-http-lua" >&2
        return 1
    }
}

# Debian's modules are loaded by name; openresty has them built in.
load_modules() {
    case $1 in *openresty) return ;; esac
    for modules in /usr/share/nginx/modules /usr/lib/nginx/modules; do
        if [ -e "$modules/ngx_http_lua_module.so" ]; then
            echo "load_module $modules/ndk_http_module.so;" \
                "load_module $modules/ngx_http_lua_module.so;"
            return
        fi
    done
}

# A number from 20000 to 29999, below the ports that the system hands out.
random_port() {
    echo $((20000 + $(od -An -N2 -tu2 /dev/urandom) % 10000))
}

# What a template cannot know stands between @ in it.
fill_in() {
    user=
    [ "$(id -u)" != 0 ] || user="user root;"
    sed -e "s|@MODULES@|$(load_modules "$1")|" -e "s|@USER@|$user|" -e "s|@FOLDER@|$3|g" \
        -e "s|@HERE@|$(cd "$(dirname "$2")" && pwd)|g" \
        -e "s|@HTTP@|$http_port|" -e "s|@HTTPS@|$https_port|" "$2"
}

# nginx writes its pid once it listens.
listens() {
    for _ in $(seq 200); do
        [ ! -s "$1/nginx.pid" ] || return 0
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

# start_nginx TEMPLATE FOLDER: sets server (its process), http_port and https_port. nginx cannot
# ask the system for a free port, so some are tried.
start_nginx() {
    # A sanitizer's library is for the server, and finds leaks in the tools of this script.
    preload=${LD_PRELOAD:-}
    unset LD_PRELOAD
    nginx=$(find_nginx) || return
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        http_port=$(random_port)
        https_port=$((http_port + 1))
        fill_in "$nginx" "$1" "$2" >"$2/nginx.conf"
        LD_PRELOAD=$preload "$nginx" -p "$2" -c "$2/nginx.conf" -e "$2/error.log" \
            </dev/null >"$2/start.log" 2>&1 &
        server=$!
        listens "$2" && return
        wait "$server"
        server=
        grep -q 'Address already in use' "$2/start.log" "$2/error.log" || break
    done
    echo "$nginx does not start:" >&2
    cat "$2/start.log" "$2/error.log" >&2
    return 1
}
