/* SPDX-License-Identifier: MIT */
/* What is told of calls and attempts: lists of fields, and one function that makes
   members of a table of them. */
#ifndef TAGOIO_LUA_FIELDS_H
#define TAGOIO_LUA_FIELDS_H

#include "lua/compat.h"
#include "lua/push_json.h"
#include "tagoio.h"

#pragma GCC visibility push(hidden)

/* Sets the members of the table on top of the stack; what is not known is absent. */
void tagoio_set_err(lua_State *L, const tagoio_push_json_context *context,
                    const tagoio_report *report);
void tagoio_set_info(lua_State *L, const tagoio_push_json_context *context,
                     const tagoio_report *report);
void tagoio_set_event(lua_State *L, const tagoio_report *report,
                      const tagoio_attempt *attempt);

#pragma GCC visibility pop

#endif
