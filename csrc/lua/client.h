/* SPDX-License-Identifier: MIT */
/* The two kinds of userdata: a client, and a call that is on its way. */
#ifndef TAGOIO_LUA_CLIENT_H
#define TAGOIO_LUA_CLIENT_H

#include "lua/compat.h"

#pragma GCC visibility push(hidden)

/* client into the table on top of the stack. */
void tagoio_client_open(lua_State *L);

#pragma GCC visibility pop

#endif
