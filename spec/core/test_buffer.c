/* SPDX-License-Identifier: MIT */
/* Buffers: what they hold, how they grow, where they end. */
#include "core/buffer.h"
#include "support/check.h"

#include <string.h>

static void test_growth(void) {
    check_case("a buffer that grows byte by byte holds them all, and seldom moves");
    tagoio_buffer buffer = {.limit = 100000};
    const char *last = NULL;
    int moves = 0;
    for (int i = 0; i < 100000; i++) {
        char byte = (char)('a' + i % 26);
        check_true(tagoio_buffer_add(&buffer, &byte, 1));
        moves += buffer.bytes != last;
        last = buffer.bytes;
    }
    check_number(100000, (int64_t)buffer.length);
    check_number('\0', buffer.bytes[buffer.length]);
    bool same = true;
    for (int i = 0; i < 100000; i++) {
        same = same && buffer.bytes[i] == 'a' + i % 26;
    }
    check_true(same);
    check_true(moves < 20);

    check_case("one byte too much is refused, and so is all that comes after it");
    check_true(!tagoio_buffer_add(&buffer, "x", 1));
    check_number(TAGOIO_BUFFER_FULL, buffer.state);
    check_true(!tagoio_buffer_add(&buffer, "", 0));
    check_number(100000, (int64_t)buffer.length);
    tagoio_buffer_clear(&buffer);
}

int main(void) {
    const check_test tests[] = {test_growth};
    return check_run(tests, check_count(tests));
}
