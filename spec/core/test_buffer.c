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

/* Behind the last byte there is nothing to be read. */
static void test_edge(void) {
    check_case("a string is copied to its end");
    char *copy = tagoio_string_copy(check_edge("secret", 7));
    check_text("secret", copy);
    tagoio_string_free(copy);

    check_case("what is encoded and what is shown has no NUL at its end");
    tagoio_buffer buffer = {.limit = 100};
    tagoio_buffer_add_encoded(&buffer, check_edge("a b", 3), 3);
    check_text("a%20b", buffer.bytes);
    tagoio_buffer_clear(&buffer);
    static const struct {
        const char *text;
        const char *shown;
    } cut[] = {
        {"a\xc3", "a?"},
        {"a\xe2\x82", "a??"},
        {"a\xf0\x9f\x98", "a???"},
    };
    for (int i = 0; i < check_count(cut); i++) {
        char shown[10];
        size_t count = strlen(cut[i].text);
        const char *text = check_edge(cut[i].text, count);
        check_number((int64_t)count,
                     (int64_t)tagoio_printable(shown, sizeof shown, text, count));
        check_text(cut[i].shown, shown);
        check_true(!tagoio_is_utf8(text, count));
    }
}

static void test_trim(void) {
    static const struct {
        const char *text;
        const char *trimmed;
    } rows[] = {
        {"ab", "ab"}, {" \ta b", "a b"}, {"a b \r\n", "a b"},
        {" a ", "a"}, {"\n \n", ""},     {" ", ""},
        {"", ""},
    };
    for (int i = 0; i < check_count(rows); i++) {
        check_case("row %d of texts with blanks around them", i);
        size_t count = strlen(rows[i].text);
        const char *text = check_edge(rows[i].text, count);
        tagoio_trim(&text, &count);
        check_number((int64_t)strlen(rows[i].trimmed), (int64_t)count);
        check_true(memcmp(rows[i].trimmed, text, count) == 0);
    }
}

static void test_utf8(void) {
    static const struct {
        uint32_t code;
        const char *text; /* NULL: there is no such character */
    } characters[] = {
        {0x01, "\x01"},
        {0x7f, "\x7f"},
        {0x80, "\xc2\x80"},
        {0x7ff, "\xdf\xbf"},
        {0x800, "\xe0\xa0\x80"},
        {0xd7ff, "\xed\x9f\xbf"},
        {0xd800, NULL},
        {0xdfff, NULL},
        {0xe000, "\xee\x80\x80"},
        {0xffff, "\xef\xbf\xbf"},
        {0x10000, "\xf0\x90\x80\x80"},
        {0x3ffff, "\xf0\xbf\xbf\xbf"},
        {0x40000, "\xf1\x80\x80\x80"},
        {0x10ffff, "\xf4\x8f\xbf\xbf"},
        {0x110000, NULL},
    };
    for (int i = 0; i < check_count(characters); i++) {
        check_case("U+%04X in UTF-8", (unsigned)characters[i].code);
        char bytes[TAGOIO_UTF8_BYTES + 1] = "";
        const char *text = characters[i].text != NULL ? characters[i].text : "";
        size_t count = strlen(text);
        check_number((int64_t)count,
                     (int64_t)tagoio_utf8_encode(characters[i].code, bytes));
        check_text(text, bytes);
        if (count > 0) {
            check_number((int64_t)count, (int64_t)tagoio_utf8_bytes(text, count));
            check_number(0, (int64_t)tagoio_utf8_bytes(text, count - 1));
        }
        check_true(tagoio_is_utf8(text, count));
    }
    static const char *const none[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2\x7f",
        "\xc2\xc0",
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf8\x90\x80\x80",
        "\xfc\x80\x80\x80",
        "\xff\xbf\xbf\xbf",
        "\xe1\x80\x41",
        "\xf1\x80\x80\x41",
    };
    for (int i = 0; i < check_count(none); i++) {
        check_case("row %d of what is not UTF-8", i);
        check_number(0, (int64_t)tagoio_utf8_bytes(none[i], strlen(none[i])));
        check_true(!tagoio_is_utf8(none[i], strlen(none[i])));
        char text[10] = "a";
        strcat(text, none[i]);
        check_true(!tagoio_is_utf8(text, strlen(text)));
    }
}

int main(void) {
    const check_test tests[] = {test_growth, test_edge, test_trim, test_utf8};
    return check_run(tests, check_count(tests));
}
