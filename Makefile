# Builds, tests and installs tagoio for Lua. `make help` lists what it can do.
#
# The module is built for one Lua at a time, into a folder of its own: build/lua5.4,
# build/luajit. LUA chooses: 5.1, 5.2, 5.3, 5.4, 5.5 or luajit.

LUA ?= 5.4
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
INSTALL ?= install
# address,undefined or thread: the build goes to a folder of its own.
SANITIZE ?=
# Of make coverage: the same.
COVERAGE ?=
# Of make bench.
ROUNDS ?= 5
# Of make fuzz, for each target, and of make fuzz-lua, which runs one STEP alone if it is told.
SECONDS ?= 60
SEED ?= 1
STEP ?=
# One test alone: make test SPEC=spec/api/list_spec.lua
SPEC ?=

# ---- which Lua ----

LUAS := 5.1 5.2 5.3 5.4 5.5 luajit
ifeq ($(filter $(LUA),$(LUAS)),)
$(error LUA must be one of $(LUAS) (got $(LUA)))
endif

LUA_NAME := $(if $(filter luajit,$(LUA)),luajit,lua$(LUA))
# The version in the paths of modules; LuaJIT shares them with 5.1.
LUA_ABI := $(if $(filter luajit,$(LUA)),5.1,$(LUA))
LUA_BIN ?= $(LUA_NAME)

PKG_CONFIG ?= pkg-config
# What pkg-config says, else the second argument.
pkg = $(or $(shell $(PKG_CONFIG) $(1) 2>/dev/null),$(2))

LUA_FOLDERS := $(foreach root,/usr/include /usr/local/include /opt/homebrew/include,\
  $(addprefix $(root)/,$(if $(filter luajit,$(LUA)),luajit-2.1,lua$(LUA) lua-$(LUA))))
LUA_CFLAGS ?= $(call pkg,--cflags $(LUA_NAME),$(addprefix -I,$(wildcard $(LUA_FOLDERS))))
# For a test that embeds Lua: the module finds Lua in its host.
LUA_LIBS ?= $(call pkg,--libs $(LUA_NAME),-l$(LUA_NAME))

# ---- flags: the user's come last and win ----

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wold-style-definition -Wconversion -Wpointer-arith -Wwrite-strings \
  -Wformat=2 -Wundef -Wvla
# Set by the targets that judge the project itself.
WERROR ?=

# A prefix of the user's, else what pkg-config knows.
CURL_DIR ?=
JANSSON_DIR ?=
cflags = $(if $(1),-I$(1)/include,$(call pkg,--cflags $(2)))
libs = $(if $(1),-L$(1)/lib -Wl$(comma)-rpath$(comma)$(1)/lib -l$(3),$(call pkg,--libs $(2),-l$(3)))
comma := ,

# The headers of others are not ours to warn about.
INCLUDES := -Icsrc -Ispec $(patsubst -I%,-isystem%,\
  $(LUA_CFLAGS) $(call cflags,$(CURL_DIR),libcurl) $(call cflags,$(JANSSON_DIR),jansson))
SYSTEM_LIBS := -lm -pthread

# Debian's hardening flags; to fortify, the compiler must optimise, and no sanitizer be there.
HARDENED := -fstack-protector-strong \
  $(if $(SANITIZE),,$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
ifeq ($(shell uname -s),Darwin)
SHARED := -bundle -undefined dynamic_lookup
else
# What a static library brings is not exported.
SHARED := -shared -Wl,--exclude-libs,ALL
HARDENED_LINK := -Wl,-z,relro -Wl,-z,now
SYSTEM_LIBS += -ldl
endif
LIBS := $(call libs,$(CURL_DIR),libcurl,curl) $(call libs,$(JANSSON_DIR),jansson,jansson) \
  $(SYSTEM_LIBS)

# A number that an integer cannot hold is undefined too, but not among gcc's "undefined".
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer) \
  $(if $(findstring undefined,$(SANITIZE)),-fsanitize=float-cast-overflow) \
  $(if $(COVERAGE),--coverage -fprofile-update=atomic)
COMPILE = $(CC) -fPIC -fvisibility=hidden -pthread $(WERROR) $(HARDENED) $(DIALECT) \
  $(SANITIZER) $(CFLAGS)
# What the source is written in, for whatever reads it.
DIALECT = -std=c11 $(WARNINGS) $(if $(COVERAGE),-Ispec/coverage) $(INCLUDES) $(CPPFLAGS)
LINK = $(CC) $(HARDENED_LINK) $(SANITIZER) $(CFLAGS) $(LDFLAGS)

# ---- what is built ----

BUILD := build/$(LUA_NAME)$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(COVERAGE),-coverage)
MODULE := $(BUILD)/tagoio/core.so
# The core and the pool for programs in C.
LIBRARY := $(BUILD)/libtagoio.a

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard $(addsuffix /*.c,$(1))))
CORE_OBJECTS := $(call objects,csrc/core csrc/host csrc/curl)
LUA_OBJECTS := $(call objects,csrc/lua)
BENCH := $(BUILD)/bench/plain
# Tests in C, by the folder that they are in; those of the last two embed Lua.
tests = $(patsubst spec/$(1)/%.c,$(BUILD)/test/%,$(wildcard spec/$(1)/test_*.c))
CORE_TESTS := $(call tests,core)
CURL_TESTS := $(call tests,curl)
STATE_TESTS := $(call tests,concurrency)
TORTURE_TESTS := $(call tests,torture)
TEST_PROGRAMS := $(CORE_TESTS) $(CURL_TESTS)
TEST_HOSTS := $(STATE_TESTS) $(TORTURE_TESTS)
TEST_SUPPORT := $(addprefix $(BUILD)/obj/spec/support/,check.o play.o session.o)
# What our code allocates can fail in these: a program, and a module for the programs that embed Lua.
WRAPPED := $(if $(HARDENED_LINK),$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc free))
MEMORY_TESTS := $(addprefix $(BUILD)/test/,test_memory test_pool test_sockets) \
  $(TORTURE_TESTS)
TORTURED := $(BUILD)/torture/tagoio/core.so
TEST_OBJECTS := $(call objects,spec/core spec/curl spec/concurrency spec/torture spec/support)
SLOW_RESOLVER := $(BUILD)/test/slow_resolver.so
FUZZ_TARGETS := $(patsubst spec/fuzz/%.c,$(BUILD)/%,$(wildcard spec/fuzz/fuzz_*.c))
FUZZ_OBJECTS := $(call objects,spec/fuzz)

Q := $(if $(V),,@)
MAKEFLAGS += --no-print-directory

.PHONY: all programs
all: $(MODULE)  ## build the module (the default)
programs: $(MODULE) $(TORTURED) $(TEST_PROGRAMS) $(TEST_HOSTS) $(SLOW_RESOLVER)

$(MODULE): $(CORE_OBJECTS) $(LUA_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(SHARED) -o $@ $^ $(LIBS)

$(TORTURED): $(CORE_OBJECTS) $(LUA_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(SHARED) $(WRAPPED) $(if $(WRAPPED),-Wl$(comma)--wrap=curl_global_init) -o $@ $^ $(LIBS)

$(LIBRARY): $(CORE_OBJECTS)
	@echo "  AR    $@"
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# The core and the pool without Lua.
$(CORE_TESTS): $(BUILD)/test/%: $(BUILD)/obj/spec/core/%.o
$(CURL_TESTS): $(BUILD)/test/%: $(BUILD)/obj/spec/curl/%.o
$(TEST_PROGRAMS): $(TEST_SUPPORT) $(CORE_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(if $(filter $@,$(MEMORY_TESTS)),$(WRAPPED)) -o $@ $^ $(LIBS)

$(MEMORY_TESTS): $(BUILD)/obj/spec/support/memory.o

# Hosts of the module: Lua, and a resolver that the module's libraries find before theirs.
$(STATE_TESTS): $(BUILD)/test/%: $(BUILD)/obj/spec/concurrency/%.o
$(TORTURE_TESTS): $(BUILD)/test/%: $(BUILD)/obj/spec/torture/%.o
$(TEST_HOSTS): $(addprefix $(BUILD)/obj/spec/support/,check.o slow_resolver.o)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(if $(filter $@,$(MEMORY_TESTS)),$(WRAPPED)) -rdynamic -o $@ $^ \
	  $(LUA_LIBS) $(if $(filter $@,$(MEMORY_TESTS)),$(LIBS)) -pthread -ldl

$(SLOW_RESOLVER): $(BUILD)/obj/spec/support/slow_resolver.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) $(SHARED) -o $@ $^ -ldl

# clang's fuzzer brings the main program.
$(FUZZ_TARGETS): $(BUILD)/%: $(BUILD)/obj/spec/fuzz/%.o $(BUILD)/obj/spec/fuzz/fuzz.o \
  $(BUILD)/obj/spec/fuzz/request_oracle.o $(BUILD)/obj/spec/support/play.o $(CORE_OBJECTS) $(LUA_OBJECTS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LUA_LIBS) $(LIBS)

$(BENCH): $(BUILD)/obj/spec/bench/plain.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# The driver that tagoio.h shows, for the test that runs it.
$(BUILD)/obj/spec/core/test_loop.o: INCLUDES += -I$(BUILD)
$(BUILD)/obj/spec/core/test_loop.o: $(BUILD)/loop.inc
$(BUILD)/loop.inc: csrc/tagoio.h
	@mkdir -p $(@D)
	@sed -n '/^       while /,/^       }/p' $< >$@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# Other flags, other objects.
.PHONY: FORCE
quoted = '$(subst ','\'',$(1))'
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quoted,$(COMPILE) $(LINK)) | cmp -s - $@ || \
	  printf '%s\n' $(call quoted,$(COMPILE) $(LINK)) >$@

.SECONDARY: $(CORE_OBJECTS) $(LUA_OBJECTS) $(TEST_OBJECTS) $(FUZZ_OBJECTS)
-include $(patsubst %.o,%.d,$(CORE_OBJECTS) $(LUA_OBJECTS) $(TEST_OBJECTS) $(FUZZ_OBJECTS))

# ---- using it ----

# Set-up installs what this file looks for, so make reads the file again after it.
SETUP_FOR = @LUA='$(LUA)' LUA_BIN='$(LUA_BIN)' LUA_CFLAGS='$(LUA_CFLAGS)' CC='$(CC)' \
  $(if $(SETUP),SETUP='$(SETUP)') spec/setup.sh
STRICTLY = $(MAKE) WERROR=-Werror
# The specs of nginx, Neovim and Tarantool load the module into LuaJIT, that of HAProxy into the Lua
# that HAProxy was built with, whatever Lua they run on themselves.
OTHER_MAKE = env -u MAKEFLAGS -u LUA_BIN -u LUA_CFLAGS -u SANITIZE $(MAKE) --no-print-directory
MODULE_OF = env -u LUA_BIN -u LUA_CFLAGS LUA=$(1) $(if $(SETUP),SETUP='$(SETUP)') spec/setup.sh build && \
  $(OTHER_MAKE) LUA=$(1) CC='$(CC)' CFLAGS='$(CFLAGS)' WERROR=-Werror all
NGINX_MODULE = @$(if $(filter luajit,$(LUA)),true,$(call MODULE_OF,luajit))
HAPROXY_MODULE = @lua=$$(spec/hosts/guests/lua-of-haproxy); \
  [ -z "$$lua" ] || { $(call MODULE_OF,$$lua); }

# The module, its Lua files and the helpers of the specs before what else the user's paths name.
WITH_MODULE = LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/?.lua;$${LUA_PATH:-;}" \
  LUA_CPATH="$(CURDIR)/$(BUILD)/?.so;$${LUA_CPATH:-;}"
# Tests and emulator are deaf to the user's TagoIO, proxies, certificates, Lua start-up code
# and make.
WITHOUT_USER = env $(addprefix -u ,\
  $(filter T_ANALYSIS_% TAGOIO_% LUA_INIT% LUA_PATH_% LUA_CPATH_%,$(.VARIABLES)) \
  http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY \
  SSL_CERT_FILE CURL_CA_BUNDLE \
  MAKEFLAGS MFLAGS MAKELEVEL)
# A sanitizer's library comes before an interpreter that was built without it.
PRELOADED := $(strip $(if $(findstring address,$(SANITIZE)),asan) \
  $(if $(findstring thread,$(SANITIZE)),tsan))
PRELOAD := $(if $(PRELOADED),$(shell $(CC) -print-file-name=lib$(PRELOADED).so))
TEST_ENVIRONMENT = $(WITHOUT_USER) $(WITH_MODULE) LUA_BIN='$(LUA_BIN)' BUILD='$(BUILD)' LIBS='$(LIBS)'
TEST = $(TEST_ENVIRONMENT) \
  SPEC='$(or $(2),$(SPEC))' WRAP='$(or $(1),$(if $(PRELOAD),env LD_PRELOAD=$(PRELOAD)))' \
  spec/run-tests.sh '$(BUILD)' '$(LUA_BIN)'
CHECK = MAKE='$(MAKE)' CC='$(CC)' DIALECT='$(DIALECT)' spec/check.sh '$(BUILD)' '$(LUA_BIN)' '$(LUA_ABI)'
PACKAGING = MAKE='$(MAKE)' CC='$(CC)' spec/packaging/check.sh '$(BUILD)' '$(LUA_BIN)'
HOST_SPECS := $(firstword $(wildcard spec/hosts spec/nginx))

# What a child abandons after a fork is the parent's.
VALGRIND := valgrind --quiet --error-exitcode=99 --leak-check=full \
  --show-leak-kinds=definite --errors-for-leak-kinds=definite --keep-debuginfo=yes \
  --child-silent-after-fork=yes

.PHONY: demo test test-all test-hosts asan tsan check packaging fresh ci emulator doc format memcheck bench bench-instructions bench-nginx
demo:  ## a tour of a local TagoIO, or of yours if T_ANALYSIS_TOKEN is set
	$(SETUP_FOR) build emulator
	@$(MAKE) all
	@if [ -n "$$T_ANALYSIS_TOKEN" ]; then \
	  $(WITH_MODULE) $(LUA_BIN) spec/examples/tour.lua; \
	else \
	  $(WITHOUT_USER) $(WITH_MODULE) spec/emulator/run sh -c \
	    'TAGOIO_API=$$EMULATOR_HTTP T_ANALYSIS_TOKEN=$$EMULATOR_TOKEN \
	    exec $(LUA_BIN) spec/examples/tour.lua'; \
	fi

test:  ## C tests and specs against the emulator; SPEC=file runs one
	$(SETUP_FOR) build emulator test
	@$(STRICTLY) programs
	$(NGINX_MODULE)
	@$(TEST)

# What the hosts need besides nginx is installed here; their specs skip what is not there.
test-hosts:  ## the specs of the hosts, with all the hosts that can be installed
	$(SETUP_FOR) build emulator test
	-$(SETUP_FOR) hosts
	@$(STRICTLY) programs
	$(NGINX_MODULE)
	$(HAPROXY_MODULE)
	@HAPROXY_LUA=$$(spec/hosts/guests/lua-of-haproxy) $(call TEST,,$(HOST_SPECS))

check:  ## layers, exports, style, static analysis, make install
	$(SETUP_FOR) build check doc
	@$(STRICTLY) all $(BUILD)/loop.inc
	@$(CHECK)

packaging:  ## rocks as users install them, other headers and libraries, releases
	$(SETUP_FOR) build emulator test packaging
	@$(STRICTLY) all
	@$(PACKAGING)

fresh:  ## the README's two commands in a bare Debian of its own; needs root and debootstrap
	@spec/packaging/fresh.sh

# ---- all of it: each step a make, one total ----

# Those that Debian packages, the default first.
TESTED_LUAS ?= 5.4 5.1 5.2 5.3 luajit
TESTS_OF = $(patsubst %,"test LUA=%",$(1))
ASAN := "test SANITIZE=address$(comma)undefined"
TSAN := "test SANITIZE=thread SPEC=spec/concurrency/test_states.c"
STEPS = @MAKE='$(MAKE)' spec/steps.sh build

test-all:  ## the tests on each Lua that is packaged, and the hosts
	$(STEPS) $(call TESTS_OF,$(TESTED_LUAS)) test-hosts

asan:  ## the tests under the address, leak and undefined sanitizers
	$(STEPS) $(ASAN)

tsan:  ## several Lua states in threads, under the thread sanitizer
	$(STEPS) $(TSAN)

ci:  ## make test, then everything else that is checked, with one total
	$(STEPS) test $(call TESTS_OF,$(filter-out $(LUA),$(TESTED_LUAS))) test-hosts \
	  check packaging $(ASAN) $(TSAN) "fuzz SECONDS=0"

# In full once for each allocator of Lua's that is its own, and once with what ASan sees.
TORTURE ?= full
TORTURED_BUILDS ?= LUA=5.4 LUA=luajit SANITIZE=address,undefined
.PHONY: torture torture-one
torture:  ## every allocation fails, in turn, everywhere (about ten minutes)
	$(STEPS) $(patsubst %,"torture-one %",$(TORTURED_BUILDS))

torture-one:
	$(SETUP_FOR) build emulator test
	@$(STRICTLY) programs
	@TORTURE='$(TORTURE)' $(call TEST,,spec/torture/test_lua_memory.c)

emulator:  ## a local TagoIO in the foreground, until Ctrl-C
	$(SETUP_FOR) emulator
	@exec $(WITHOUT_USER) spec/emulator/run

doc:  ## the reference in HTML, in build/doc
	$(SETUP_FOR) doc
	@mkdir -p build
	@ldoc --fatalwarnings --quiet --dir build/doc . >build/doc.log || { cat build/doc.log; exit 1; }
	@echo build/doc/index.html

format:  ## rewrites the C sources as check wants them
	@find csrc spec -name '*.[ch]' -exec clang-format -i {} +

memcheck:  ## the tests under valgrind: no error, no leak (not for LuaJIT)
	$(SETUP_FOR) build emulator test memcheck
	@$(STRICTLY) programs
	$(NGINX_MODULE)
	@MODEL_DEPTH=-3 $(call TEST,$(VALGRIND))

# In a build folder of their own; what is undefined ends the program as well.
FUZZ_MAKE = $(STRICTLY) LUA=5.4 BUILD=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined \
  CFLAGS='-O1 -g -fno-sanitize-recover=all'
.PHONY: fuzz fuzz-programs
fuzz-programs: $(FUZZ_TARGETS)
fuzz:  ## clang's fuzzer on each of spec/fuzz, SECONDS=60 each; 0: what was found once
	$(SETUP_FOR) build fuzz
	@$(FUZZ_MAKE) fuzz-programs
	@$(WITHOUT_USER) spec/fuzz/run.sh build/fuzz '$(SECONDS)' $(FUZZ)

.PHONY: fuzz-lua soak
fuzz-lua:  ## random calls, misuse and reentrancy in Lua: SECONDS, SEED, STEP; LUA, SANITIZE
	$(SETUP_FOR) build emulator test
	@$(STRICTLY) all
	@$(WITHOUT_USER) $(WITH_MODULE) spec/emulator/run sh -c \
	  '$(if $(PRELOAD),env LD_PRELOAD=$(PRELOAD)) $(LUA_BIN) spec/fuzz/fuzz.lua $(SECONDS) $(SEED) $(STEP) || \
	  { echo "FAILED; the last step was SEED=$(SEED) STEP=$$(cat $$EMULATOR_DIR/step)"; exit 1; }'

# Of make soak.
MINUTES ?= 10
soak:  ## mixed calls under random faults for MINUTES=10: memory, descriptors, writes, deadlines
	$(SETUP_FOR) build emulator test
	-$(SETUP_FOR) hosts
	@$(STRICTLY) all
	$(NGINX_MODULE)
	@$(WITHOUT_USER) $(WITH_MODULE) LUA_BIN='$(LUA_BIN)' \
	  spec/emulator/run $(LUA_BIN) spec/soak/soak.lua '$(MINUTES)' '$(SEED)'

# Branches as they are written: not optimised. What ran before is forgotten.
coverage:  ## branches of csrc that the tests take; fails below 97 % of the core, 92 % of all
	$(SETUP_FOR) build emulator test coverage
	$(NGINX_MODULE)
	@$(MAKE) COVERAGE=yes CFLAGS='-O0 -g' measured

.PHONY: coverage measured mutants
measured: programs
	@find $(BUILD) -name '*.gcda' -delete
	@$(TEST)
	@spec/coverage/report.sh $(BUILD)

COUNT ?= 200
AREA ?=
mutants:  ## single changes to the code, and whether tests notice; COUNT=200 SEED=7 AREA=core
	$(SETUP_FOR) build emulator test
	@$(LUA_BIN) spec/mutants/mutants.lua build/mutants$(AREA:%=-%) $(BUILD) '$(COUNT)' '$(SEED)' '$(AREA)'

# In the copy: TESTS in their order until one fails. Those of the core need little else.
.PHONY: until-failure nginx-module
CORE_ALONE := $(if $(filter-out spec/core/%,$(TESTS)),,yes)
until-failure: $(if $(CORE_ALONE),$(CORE_TESTS),programs)
	@$(TEST_ENVIRONMENT) $(if $(CORE_ALONE),,spec/emulator/run) spec/mutants/until-failure.sh '$(BUILD)' '$(LUA_BIN)' $(TESTS)
nginx-module:
	$(NGINX_MODULE)

# What the peers need is installed as far as it can be: a peer without it is skipped.
RUN_BENCH = mkdir -p build/bench && $(WITHOUT_USER) $(WITH_MODULE) ROUNDS='$(ROUNDS)' spec/emulator/run $(LUA_BIN)
SDK := build/bench/node_modules/@tago-io/sdk
$(SDK):
	@npm install --silent --no-audit --no-fund --prefix build/bench @tago-io/sdk@12 >&2 || true

bench:  ## what calls cost, beside C, LuaSocket, requests and the SDK for JavaScript
	$(SETUP_FOR) build emulator test
	-$(SETUP_FOR) bench
	@$(MAKE) all $(BENCH) $(SDK)
	@$(RUN_BENCH) spec/bench/bench.lua build/bench '$(BENCH)' '$(LUA_BIN)'

bench-instructions:  ## the instructions of a call, ours and by hand, by library and function
	$(SETUP_FOR) build emulator test memcheck
	@$(MAKE) all $(BENCH)
	@$(RUN_BENCH) spec/bench/instructions.lua build/bench '$(BENCH)' '$(LUA_BIN)'

bench-nginx:  ## what a call costs inside nginx, beside nginx's own sockets
	$(SETUP_FOR) build emulator test bench-nginx
	@$(MAKE) all
	$(NGINX_MODULE)
	@$(WITHOUT_USER) $(WITH_MODULE) LUA_BIN='$(LUA_BIN)' \
	  spec/emulator/run $(LUA_BIN) spec/bench/nginx/bench.lua

# ---- a release ----

DEVELOPMENT := rockspec/tagoio-scm-1.rockspec
VERSION = $(shell sed -n 's/^.define TAGOIO_VERSION "\(.*\)"$$/\1/p' csrc/tagoio.h)

.PHONY: rockspec
rockspec:  ## writes the rockspec of the release that csrc/tagoio.h names
	@rm -f rockspec/tagoio-[0-9]*.rockspec
	@awk '/^version = / { $$0 = "version = \"$(VERSION)-1\"" } { print } \
	  /^  url = / { print "  tag = \"v$(VERSION)\"," }' $(DEVELOPMENT) \
	  >rockspec/tagoio-$(VERSION)-1.rockspec
	@echo rockspec/tagoio-$(VERSION)-1.rockspec

# ---- installing ----

LUA_FILES := $(patsubst lua/%,%,$(shell find lua -name '*.lua'))
SHARE_DIR = $(DESTDIR)$(PREFIX)/share/lua/$(LUA_ABI)
LIB_DIR = $(DESTDIR)$(PREFIX)/lib/lua/$(LUA_ABI)/tagoio

.PHONY: install uninstall clean help
install: all  ## to PREFIX (/usr/local), under DESTDIR
	@for file in $(LUA_FILES); do \
	  $(INSTALL) -d -m 755 "$(SHARE_DIR)/$$(dirname "$$file")" && \
	  $(INSTALL) -m 644 "lua/$$file" "$(SHARE_DIR)/$$file" || exit; \
	done
	@$(INSTALL) -d -m 755 "$(LIB_DIR)"
	@$(INSTALL) -m 755 $(MODULE) "$(LIB_DIR)/core.so"

uninstall:  ## removes what install put there
	@for file in $(LUA_FILES); do rm -f "$(SHARE_DIR)/$$file"; done
	@rm -f "$(LIB_DIR)/core.so"
	@find "$(SHARE_DIR)/tagoio" "$(LIB_DIR)" -depth -type d -exec rmdir {} \; 2>/dev/null || true

# In C all of them are <tagoio/NAME.h>.
HEADERS := csrc/tagoio.h csrc/curl/pool.h csrc/host/host.h
C_INCLUDE_DIR = $(DESTDIR)$(PREFIX)/include/tagoio
C_LIB_DIR = $(DESTDIR)$(PREFIX)/lib

.PHONY: install-c install-headers uninstall-c
install-c: $(LIBRARY) install-headers  ## the C library, its headers and what pkg-config knows of it
	@$(INSTALL) -d -m 755 "$(C_LIB_DIR)/pkgconfig"
	@$(INSTALL) -m 644 $(LIBRARY) "$(C_LIB_DIR)/libtagoio.a"
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	  -e 's|@SYSTEM_LIBS@|$(SYSTEM_LIBS)|' csrc/tagoio.pc.in >$(BUILD)/tagoio.pc
	@$(INSTALL) -m 644 $(BUILD)/tagoio.pc "$(C_LIB_DIR)/pkgconfig/tagoio.pc"

install-headers:
	@$(INSTALL) -d -m 755 "$(C_INCLUDE_DIR)"
	@$(INSTALL) -m 644 $(HEADERS) "$(C_INCLUDE_DIR)"

uninstall-c:  ## removes what install-c put there
	@for file in $(notdir $(HEADERS)); do rm -f "$(C_INCLUDE_DIR)/$$file"; done
	@rm -f "$(C_LIB_DIR)/libtagoio.a" "$(C_LIB_DIR)/pkgconfig/tagoio.pc"
	@rmdir "$(C_INCLUDE_DIR)" 2>/dev/null || true

clean:  ## removes build/
	rm -rf build

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 28
	@echo
	@echo 'LUA=5.4 (5.1 5.2 5.3 5.5 luajit), CC, CFLAGS, LDFLAGS, PREFIX, DESTDIR,'
	@echo 'SANITIZE=address,undefined (thread), SPEC=file, ROUNDS=5, SECONDS=60, SETUP=no, V=1'
