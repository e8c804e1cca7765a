/* SPDX-License-Identifier: MIT */
/* No secret of a call is in what is shown of its failure, in whatever form a server
   sends it back. Every row plays such a server. */
#include "core/redact.h"
#include "support/check.h"
#include "support/play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the caller sends, what the server responses, and what the error says then. */
typedef struct echo_row {
    const char *name;
    const char *token;
    const char *operation;
    const char *arguments;
    const char *body;
    const char *message; /* between "OPERATION: " and " (HTTP 400" */
    const char *details; /* as JSON, NULL: none */
} echo_row;

#define ID     "p-0123456789abcdef"
#define TOKEN5 PLAY_TOKEN PLAY_TOKEN PLAY_TOKEN PLAY_TOKEN PLAY_TOKEN
#define X5     "***************"
#define ODD    "a/b \\\"c\\\"+%" /* in JSON; percent-encoded a%2Fb%20%22c%22%2B%25 */
#define INFO   "profile.info", "[\"x\"]"
#define DELETE "profile.tokenDelete", "[\"x\", \"p-other/99\"]"
#define LOGIN                                                                          \
    "profile.tokenCreate",                                                             \
        "[\"x\", {\"password\": \"" ODD "\", \"pin_code\": \"482913\"}]"
#define ACCENTS                                                                        \
    "profile.edit", "[\"x\", {\"password\": "                                          \
                    "\"\xc3\xa9\xc3\xa8/\xf0\x9f\x98\x80<x>&'\"}]"
#define SURROGATES                                                                     \
    "profile.edit", "[\"x\", {\"password\": \"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}]"
#define BLANKS   "profile.edit", "[\"x\", {\"password\": \" correct-horse\\nbattery\"}]"
#define ESCAPED  "profile.edit", "[\"x\", {\"password\": \"<%\\\\odd\"}]"
#define PIN(pin) "profile.delete", "[\"x\", {\"pin_code\": \"" pin "\"}]"
#define FIND     "profile.tokenList", "[\"x\", {\"filter\": {\"token\": \"p-wanted-1\"}}]"

/* clang-format off */
static const echo_row echoes[] = {
    {"the token in the message", ID, INFO, "{\"message\":\"no profile of " ID " here\"}", "no profile of *** here", "{\"message\":\"no profile of *** here\"}"},
    {"the token alone", ID, INFO, "{\"message\":\"" ID "\"}", "***", "{\"message\":\"***\"}"},
    {"the token twice", ID, INFO, "{\"message\":\"" ID ID "\"}", "******", "{\"message\":\"******\"}"},
    {"the token in result.message", ID, INFO, "{\"result\":{\"message\":\"<" ID ">\"}}", "<***>", "{\"result\":{\"message\":\"<***>\"}}"},
    {"the token deep in details", ID, INFO, "{\"message\":\"no\",\"a\":[{\"b\":[\"x" ID "\"]}]}", "no", "{\"a\":[{\"b\":[\"x***\"]}],\"message\":\"no\"}"},
    {"the token as a member's name", ID, INFO, "{\"message\":\"no\",\"" ID "\":1}", "no", "{\"***\":1,\"message\":\"no\"}"},
    {"the token in field_errors", ID, INFO, "{\"message\":\"no\",\"field_errors\":{\"token\":\"" ID " is bad\"}}", "no: token: *** is bad", "{\"field_errors\":{\"token\":\"*** is bad\"},\"message\":\"no\"}"},
    {"the token in a page's title", ID, INFO, "<title>" ID "</title>", "an HTML page, \"***\"", NULL},
    {"the token in plain text", ID, INFO, "token: " ID "\nmore", "token: ***", NULL},
    {"the token in a message that is JSON", ID, INFO, "{\"message\":\"{\\\"message\\\":\\\"of " ID "\\\"}\"}", "of ***", "{\"message\":{\"message\":\"of ***\"}}"},
    {"half a token is none", ID, INFO, "{\"message\":\"p-01234567\"}", "p-01234567", "{\"message\":\"p-01234567\"}"},
    {"a token of odd characters, percent-encoded", "a+b/c==", INFO, "GET /?token=a%2Bb%2Fc%3D%3D", "GET /?token=***", NULL},
    {"the same as it is", "a+b/c==", INFO, "GET /?token=a+b/c==", "GET /?token=***", NULL},
    {"a token with a quote, escaped", "ab\"cd", INFO, "token is \"ab\\\"cd\"", "token is \"***\"", NULL},
    {"a short token stays", "abc", INFO, "{\"message\":\"abcd\"}", "abcd", "{\"message\":\"abcd\"}"},
    {"a token of four", "abcd", INFO, "{\"message\":\"abcde\"}", "***e", "{\"message\":\"***e\"}"},
    {"tokenDelete: the path as it was sent", ID, DELETE, "Cannot DELETE /profile/x/token/p-other%2F99", "Cannot DELETE /profile/x/token/***", NULL},
    {"tokenDelete: the token", ID, DELETE, "{\"message\":\"p-other/99 not found\"}", "*** not found", "{\"message\":\"*** not found\"}"},
    {"tokenDelete: both tokens", ID, DELETE, "{\"message\":\"" ID " may not delete p-other/99\"}", "*** may not delete ***", "{\"message\":\"*** may not delete ***\"}"},
    {"password", ID, LOGIN, "{\"message\":\"no: " ODD "\"}", "no: ***", "{\"message\":\"no: ***\"}"},
    {"password percent-encoded", ID, LOGIN, "a%2Fb%20%22c%22%2B%25", "***", NULL},
    {"password as JSON in text", ID, LOGIN, "no: " ODD, "no: ***", NULL},
    {"pin_code", ID, LOGIN, "{\"message\":\"pin 482913 is wrong\",\"pin_code\":\"482913\"}", "pin *** is wrong", "{\"message\":\"pin *** is wrong\",\"pin_code\":\"***\"}"},
    {"pin_code comes back as a number", ID, LOGIN, "{\"message\":\"no\",\"pin_code\":482913}", "no", "{\"message\":\"no\",\"pin_code\":\"***\"}"},
    {"pin_code in a longer number is none", ID, LOGIN, "{\"message\":\"no\",\"id\":14829130}", "no", "{\"id\":14829130,\"message\":\"no\"}"},
    {"pin_code goes out as a number", ID, "profile.delete", "[\"x\", {\"pin_code\": 482913}]", "{\"message\":\"482913\",\"n\":[482913, 5]}", "***", "{\"message\":\"***\",\"n\":[\"***\",5]}"},
    {"a filter's token", ID, FIND, "{\"message\":\"p-wanted-1?\"}", "***?", "{\"message\":\"***?\"}"},
    {"a list of tokens in a filter", ID, "profile.tokenList", "[\"x\", {\"filter\": {\"token\": [\"p-one1\", {\"like\": \"p-two2\"}]}}]", "{\"message\":\"p-one1, p-two2\"}", "***, ***", "{\"message\":\"***, ***\"}"},
    {"a password deep in a body", ID, "profile.edit", "[\"x\", {\"a\": [{\"password\": \"deep-one\"}]}]", "{\"message\":\"deep-one\"}", "***", "{\"message\":\"***\"}"},
    {"names are no secrets", ID, "profile.create", "[{\"name\": \"public\", \"email\": \"a@b.c\"}]", "{\"message\":\"public of a@b.c\"}", "public of a@b.c", "{\"message\":\"public of a@b.c\"}"},
    {"overlapping: the longest that begins first", "abcdef", "profile.edit", "[\"x\", {\"token\": \"abcd\", \"password\": \"efgh\"}]", "{\"message\":\"-abcdefgh-abcdxefgh-\"}", "-***gh-***x***-", "{\"message\":\"-***gh-***x***-\"}"},
    {"one secret in another", "inner", "profile.edit", "[\"x\", {\"password\": \"outer-inner-outer\"}]", "{\"message\":\"outer-inner-outer, outer-inner\"}", "***, outer-***", "{\"message\":\"***, outer-***\"}"},
    {"beyond ASCII", ID, "profile.edit", "[\"x\", {\"password\": \"\xc3\xa9\xc3\xa8\"}]", "{\"message\":\"\xc3\xa9\xc3\xa9\xc3\xa8\"}", "\xc3\xa9***", "{\"message\":\"\xc3\xa9***\"}"},
    {"escaped beyond ASCII", ID, "profile.edit", "[\"x\", {\"password\": \"\xc3\xa9\xc3\xa8\"}]", "{\"message\":\"\\u00e9\\u00e8\"}", "***", "{\"message\":\"***\"}"},
    {"percent-encoded in lower case", ID, LOGIN, "a%2fb%20%22c%22%2b%25", "***", NULL},
    {"percent-encoded with + for a blank", ID, LOGIN, "a%2Fb+%22c%22%2B%25", "***", NULL},
    {"as encodeURI leaves it", ID, LOGIN, "a/b%20%22c%22+%25", "***", NULL},
    {"percent-encoded beyond ASCII", ID, ACCENTS, "of %c3%a9%C3%A8/\xf0\x9f\x98\x80<x>&'", "of ***", NULL},
    {"JSON with \\/ and \\u", ID, ACCENTS, "of \\u00e9\\u00E8\\/\\uD83D\\ude00<x>\\u0026'", "of ***", NULL},
    {"the first and the last of the surrogates", ID, SURROGATES, "of \\ud800\\udc00\\uDBFF\\uDFFF", "of ***", NULL},
    {"HTML's entities", ID, ACCENTS, "of \xc3\xa9&#xe8;/&#128512;&lt;x&gt;&amp;&#039;!", "of ***!", NULL},
    {"HTML's entities by name", ID, LOGIN, "<title>a/b &quot;c&quot;+%</title>", "an HTML page, \"***\"", NULL},
    {"HTML's &apos;", ID, ACCENTS, "\xc3\xa9&#XE8;/&#x1f600;&#60;x&#062;&#38;&apos;", "***", NULL},
    {"JSON in a page of HTML", ID, LOGIN, "no: a/b \\&quot;c\\&quot;+%", "no: ***", NULL},
    {"percent-encoded in a page of HTML", ID, ACCENTS, "%C3%A9%C3%A8/%F0%9F%98%80%3Cx%3E&amp;&#39;", "***", NULL},
    {"an escape that is none is what it is", ID, "profile.edit", "[\"x\", {\"password\": \"a%b\\\\c&d;\"}]", "is a%b\\c&d;", "is ***", NULL},
    {"a surrogate alone is no secret's", ID, ACCENTS, "of \\u00e9\\u00e8\\/\\ud83d", "of \\u00e9\\u00e8\\/\\ud83d", NULL},
    {"a surrogate before another escape is no secret's", ID, ACCENTS, "of \\u00e9\\u00e8\\/\\ud83d\\n", "of \\u00e9\\u00e8\\/\\ud83d\\n", NULL},
    {"a surrogate before a letter is no secret's", ID, ACCENTS, "of \\u00e9\\u00e8\\/\\ud83dx", "of \\u00e9\\u00e8\\/\\ud83dx", NULL},
    {"a surrogate before no other half is no secret's", ID, ACCENTS, "of \\u00e9\\u00e8\\/\\ud83d\\u0041", "of \\u00e9\\u00e8\\/\\ud83d\\u0041", NULL},
    {"a surrogate before what is beyond the halves is no secret's", ID, ACCENTS, "of \\u00e9\\u00e8\\/\\ud83d\\ue000", "of \\u00e9\\u00e8\\/\\ud83d\\ue000", NULL},
    {"an escape that JSON has not is no secret's", ID, ACCENTS, "of \\u00e9\\u00e8\\q", "of \\u00e9\\u00e8\\q", NULL},
    {"a backslash at the end is no secret's", ID, ACCENTS, "of \\u00e9\\u00e8\\", "of \\u00e9\\u00e8\\", NULL},
    {"an entity without a number is no secret's", ID, ACCENTS, "of \xc3\xa9&#;", "of \xc3\xa9&#;", NULL},
    {"an entity of hex digits without x is no secret's", ID, ACCENTS, "of \xc3\xa9&#e8;", "of \xc3\xa9&#e8;", NULL},
    {"an entity without digits is no secret's", ID, ACCENTS, "of \xc3\xa9&#xyz;", "of \xc3\xa9&#xyz;", NULL},
    {"an entity of no name is no secret's", ID, ACCENTS, "of \xc3\xa9&egrave;", "of \xc3\xa9&egrave;", NULL},
    {"an entity that does not end is no secret's", ID, ACCENTS, "of \xc3\xa9&#xe8", "of \xc3\xa9&#xe8", NULL},
    {"the first character is an entity", ID, ESCAPED, "is &lt;%\\odd", "is ***", NULL},
    {"the first character is percent-encoded", ID, ESCAPED, "is %3c%25%5codd", "is ***", NULL},
    {"the first character is escaped as in JSON", ID, ESCAPED, "is \\u003c%\\\\odd", "is ***", NULL},
    {"no entity, in a form where others are", ID, "profile.edit", "[\"x\", {\"password\": \"ab<&c;\"}]", "is ab&lt;&c;", "is ***", NULL},
    {"no number of an entity, in a form where others are", ID, "profile.edit", "[\"x\", {\"password\": \"ab<&#c;\"}]", "is ab&lt;&#c;", "is ***", NULL},
    {"an empty entity is no secret's", ID, ACCENTS, "of \xc3\xa9&;", "of \xc3\xa9&;", NULL},
    {"a percent that begins no escape, in a form where others do", ID, "profile.edit", "[\"x\", {\"password\": \"a%b\\\\c&d;\"}]", "is a%b%5Cc%26d;", "is ***", NULL},
    {"a backslash at the end, in a form where others are escapes", ID, "profile.edit", "[\"x\", {\"password\": \"ab\\\"c\\\\\"}]", "is ab\\\"c\\", "is ***", NULL},
    {"a form broken off is no secret", ID, LOGIN, "a%2Fb%2", "a%2Fb%2", NULL},
    {"the text begins with it, blanks first", ID, BLANKS, " \n correct-horse\nbattery is wrong", "*** is wrong", NULL},
    {"the text begins with it, without the blank", ID, BLANKS, "correct-horse\nbattery", "***", NULL},
    {"a line break in it", ID, BLANKS, "no: correct-horse\nbattery\nmore", "no: ***", NULL},
    {"a line break in it, in a title", ID, BLANKS, "<title>correct-horse\nbattery</title>", "an HTML page, \"***\"", NULL},
    {"pin_code comes back as a fraction", ID, LOGIN, "{\"message\":\"no\",\"pin_code\":482913.0}", "no", "{\"message\":\"no\",\"pin_code\":\"***\"}"},
    {"a pin's fraction in a text", ID, LOGIN, "pin 482913.0", "pin ***.0", NULL},
    {"a pin that ends in 0 in what a message is made of", ID, PIN("9182730"), "{\"message\":{\"pin\":9182730.0}}", "pin: ***", "{\"message\":{\"pin\":\"***\"}}"},
    {"a pin with a zero in front comes back as a number", ID, PIN("018273"), "{\"message\":\"no\",\"n\":18273}", "no", "{\"message\":\"no\",\"n\":\"***\"}"},
    {"a pin of four digits with a zero in front", ID, PIN("01827"), "{\"message\":\"no\",\"n\":1827}", "no", "{\"message\":\"no\",\"n\":\"***\"}"},
    {"a pin of three digits with zeros in front", ID, PIN("00182"), "{\"message\":\"no\",\"n\":182}", "no", "{\"message\":\"no\",\"n\":182}"},
    {"a pin that is less than one", ID, "profile.delete", "[\"x\", {\"pin_code\": 0.1827}]", "{\"message\":\"no\",\"n\":0.1827}", "no", "{\"message\":\"no\",\"n\":\"***\"}"},
    {"a pin of zeros is not every zero", ID, PIN("0000"), "{\"message\":\"no\",\"n\":0}", "no", "{\"message\":\"no\",\"n\":0}"},
    {"a pin that is a fraction", ID, "profile.delete", "[\"x\", {\"pin_code\": 4829.5}]", "{\"message\":\"4829.5\"}", "***", "{\"message\":\"***\"}"},
    {"a pin below zero that is one", ID, "profile.delete", "[\"x\", {\"pin_code\": -4829.5}]", "{\"message\":\"-4829.5\"}", "***", "{\"message\":\"***\"}"},
    {"a pin beyond all digits", ID, "profile.delete", "[\"x\", {\"pin_code\": 1e15}]", "{\"message\":\"1e15\"}", "***", "{\"message\":\"***\"}"},
    {"a pin below all of them", ID, "profile.delete", "[\"x\", {\"pin_code\": -1e15}]", "{\"message\":\"-1e15\"}", "***", "{\"message\":\"***\"}"},
    {"a password of blanks is none", ID, "profile.delete", "[\"x\", {\"password\": \" \\t\\r\\n \"}]", "{\"message\":\"a    b\"}", "a    b", "{\"message\":\"a    b\"}"},
    {"a pin that went out as a fraction", ID, "profile.delete", "[\"x\", {\"pin_code\": 482913.0}]", "{\"message\":\"482913\"}", "***", "{\"message\":\"***\"}"},
};
/* clang-format on */

static void test_echoes(void) {
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(echoes); i++) {
        const echo_row *row = &echoes[i];
        check_case("%s", row->name);
        tagoio_options options = play_options();
        options.token = row->token;
        tagoio_settings *settings = play_settings(&options);
        tagoio_call *call = play_call(settings, row->operation, row->arguments);
        play_answer(call, &now, "400", row->body);
        tagoio_report report = tagoio_call_report(call);
        char message[300];
        snprintf(message, sizeof message, "%s: %s (HTTP 400, api.tago.io)",
                 row->operation, row->message);
        check_text(message, report.message);
        char *details =
            report.details == NULL ? NULL : tagoio_json_encode(report.details, 0, NULL);
        check_text(row->details, details);
        free(details);
        tagoio_call_unref(call);
        tagoio_settings_unref(settings);
    }
}

/* ---- elsewhere in a report ---- */

static bool shows(const tagoio_call *call, const char *secret) {
    tagoio_report report = tagoio_call_report(call);
    char *details =
        report.details == NULL ? NULL : tagoio_json_encode(report.details, 0, NULL);
    bool found = (report.message != NULL && strstr(report.message, secret) != NULL) ||
                 (report.request_id != NULL && strstr(report.request_id, secret)) ||
                 (details != NULL && strstr(details, secret) != NULL);
    free(details);
    return found;
}

static void test_request_id(void) {
    check_case("in a request id");
    tagoio_options options = play_options();
    options.token = ID;
    tagoio_settings *settings = play_settings(&options);
    tagoio_call *call = play_call(settings, INFO);
    tagoio_now now = play_now(0);
    play_answer(call, &now, "HTTP/1.1 400 X\nx-request-id: r-" ID "-1", "{}");
    check_text("r-***-1", tagoio_call_report(call).request_id);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_faults(void) {
    check_case("in what the driver says");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_call *call = play_call(settings, DELETE);
    tagoio_now now = play_now(0);
    play_begin(call, 0);
    tagoio_call_fail(call, &now,
                     &(tagoio_failure){.reason = TAGOIO_FAILURE_LOCAL,
                                       .text = "bad URL /p-other%2F99, " PLAY_TOKEN});
    check_text(
        "profile.tokenDelete: the transfer failed: bad URL /***, *** (api.tago.io)",
        tagoio_call_report(call).message);
    tagoio_call_unref(call);

    check_case("twenty times in what the driver says");
    call = play_call(settings, INFO);
    play_begin(call, 0);
    tagoio_call_fail(call, &now,
                     &(tagoio_failure){.reason = TAGOIO_FAILURE_LOCAL,
                                       .text = TOKEN5 TOKEN5 TOKEN5 TOKEN5 ", it is",
                                       .verbatim = true});
    check_text("profile.info: " X5 X5 X5 X5 ", it is (api.tago.io)",
               tagoio_call_report(call).message);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* An error whose message is followed by so many bytes that its body has count. */
static char *large_body(const char *message, const char *member, size_t count) {
    char start[100];
    char *body = malloc(count + 1);
    if (body == NULL) {
        exit(2);
    }
    snprintf(start, sizeof start, "{\"message\":\"%s\",\"%s\":\"", message, member);
    memset(body, '%', count);
    memcpy(body, start, strlen(start));
    memcpy(body + count - 2, "\"}", 3);
    return body;
}

#define TOO_LARGE "; its details are too large to be kept"

static void test_large_details(void) {
    static const struct {
        size_t bytes;
        bool kept;
        const char *said;
        const char *member;
        const char *message;
    } rows[] = {
        {TAGOIO_MAX_DETAILS_BYTES, true, "no " PLAY_TOKEN, "result",
         "profile.info: no *** (HTTP 400, api.tago.io)"},
        {TAGOIO_MAX_DETAILS_BYTES + 1, false, "no " PLAY_TOKEN, "result",
         "profile.info: no *** (HTTP 400, api.tago.io)" TOO_LARGE},
        {TAGOIO_MAX_DETAILS_BYTES + 1, false, "X", "result",
         "profile.info: X (HTTP 400, api.tago.io)" TOO_LARGE},
        {TAGOIO_MAX_DETAILS_BYTES + 1, false, "", "data",
         "profile.info: an error without a message (HTTP 400, api.tago.io)" TOO_LARGE},
    };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("details of %zu bytes: what is not shown is not scrubbed",
                   rows[i].bytes);
        char *body = large_body(rows[i].said, rows[i].member, rows[i].bytes);
        tagoio_call *call = play_call(settings, INFO);
        play_answer(call, &now, "400", body);
        tagoio_report report = tagoio_call_report(call);
        check_text(rows[i].message, report.message);
        check_true((report.details != NULL) == rows[i].kept);
        tagoio_call_unref(call);
        free(body);
    }
    tagoio_settings_unref(settings);
}

/* The start of a page is scrubbed before anything in it is cut. */
static void test_large_page(void) {
    check_case("a secret at the end of what is scrubbed of a page");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int before = 8150; before < 8200; before++) {
        char page[9000] = "<p>";
        memset(page + 3, '\n', (size_t)before);
        strcat(page, "<title>" PLAY_TOKEN "</title>" PLAY_TOKEN);
        tagoio_call *call = play_call(settings, INFO);
        play_answer(call, &now, "400", page);
        const char *message = tagoio_call_report(call).message;
        check_true(strstr(message, "p-play") == NULL);
        check_within("an HTML page", message);
        tagoio_call_unref(call);
    }
    for (int more = 0; more < 2; more++) {
        check_case("a title that ends %d bytes behind 8 KiB", more);
        static const char title[] = "<title>Gateway</title>";
        char page[9000] = "<p>";
        memset(page + 3, '\n', 8192 - 3 - strlen(title) + (size_t)more);
        strcat(page, title);
        tagoio_call *call = play_call(settings, INFO);
        play_answer(call, &now, "400", page);
        check_within(more == 0 ? "an HTML page, \"Gateway\" (" : "an HTML page (",
                     tagoio_call_report(call).message);
        tagoio_call_unref(call);
    }
    check_case("a page that begins with NUL has no words");
    tagoio_call *empty = play_call(settings, INFO);
    play_begin(empty, 0);
    play_head(empty, "400");
    tagoio_call_body(empty, "\0x", 2);
    tagoio_call_complete(empty, &now);
    check_within(": a body without text (", tagoio_call_report(empty).message);
    tagoio_call_unref(empty);

    check_case("blanks before a page do not count");
    char page[9000] = "";
    memset(page, ' ', 8500);
    strcat(page, "<title>Busy</title>");
    tagoio_call *call = play_call(settings, INFO);
    play_answer(call, &now, "400", page);
    check_within("an HTML page, \"Busy\"", tagoio_call_report(call).message);
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

/* Cut first, the message would end with the first half of the token. */
static void test_cut(void) {
    check_case("where a long message is cut");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int before = 490; before < 515; before++) {
        char body[700] = "{\"message\":\"";
        size_t at = strlen(body);
        memset(body + at, 'x', (size_t)before);
        strcpy(body + at + before, PLAY_TOKEN "\"}");
        tagoio_call *call = play_call(settings, INFO);
        play_answer(call, &now, "400", body);
        check_true(!shows(call, "p-"));
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

/* A client's own token is in the settings; another client's is not in this call. */
static void test_unread_answers(void) {
    static const struct {
        const char *head;
        const char *body;
    } rows[] = {
        {"200", "<title>" PLAY_TOKEN "</title>"},
        {"200", "{\"result\":\"" PLAY_TOKEN "\"}"},
        {"200", "{\"status\":true,\"result\":\"" PLAY_TOKEN "\"}"},
        {"200", "{\"status\":false,\"result\":\"" PLAY_TOKEN "\"}"},
        {"200", "{" PLAY_TOKEN},
        {"200", "{\"a\":" PLAY_TOKEN},
        {"302", PLAY_TOKEN},
        {"404", "[\"" PLAY_TOKEN "\"]"},
        {"404", "\"" PLAY_TOKEN "\""},
    };
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    for (int i = 0; i < check_count(rows); i++) {
        check_case("%s %s", rows[i].head, rows[i].body);
        tagoio_call *call = play_call(settings, INFO);
        play_answer(call, &now, rows[i].head, rows[i].body);
        check_true(tagoio_call_report(call).kind != TAGOIO_ERROR_NONE);
        check_true(!shows(call, PLAY_TOKEN));
        tagoio_call_unref(call);
    }
    tagoio_settings_unref(settings);
}

static void test_refusals(void) {
    check_case("in what is refused");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_error err = {.kind = TAGOIO_ERROR_NONE};
    json_t *arguments = play_json("[\"x\", \"p-se\\ncret\"]");
    check_true(tagoio_call_new(settings, "profile.tokenDelete", arguments, 0, &err) ==
               NULL);
    check_true(strstr(err.message, "p-se") == NULL);
    tagoio_settings_unref(settings);
}

/* A success is shown as it is: tokenCreate's result is a token. */
static void test_success(void) {
    check_case("not in a result");
    tagoio_settings *settings = play_settings(NULL);
    tagoio_now now = play_now(0);
    tagoio_call *call = play_call(settings, INFO);
    play_answer(call, &now, "200",
                "{\"status\":true,\"result\":{\"token\":\"" PLAY_TOKEN "\"}}");
    const json_t *result = tagoio_call_report(call).result;
    check_text(PLAY_TOKEN, json_string_value(json_object_get(result, "token")));
    tagoio_call_unref(call);
    tagoio_settings_unref(settings);
}

static void test_edge(void) {
    check_case("a text is not read further than it goes");
    tagoio_secrets secrets = {.outer = NULL};
    check_true(tagoio_secrets_add(&secrets, "se&\\cret", 8));
    static const char *const texts[] = {"a se",   "a se&",       "a se&\\c", "se%",
                                        "se&amp", "se\\u0026\\", "se%26%5"};
    for (int i = 0; i < check_count(texts); i++) {
        tagoio_buffer clean = {.limit = 100};
        size_t count = strlen(texts[i]);
        check_true(tagoio_redact(&secrets, check_edge(texts[i], count), count, &clean));
        check_text(texts[i], clean.bytes);
        tagoio_buffer_clear(&clean);
    }
    tagoio_secrets_clear(&secrets);
}

/* ---- wiping ---- */

static void test_wipe(void) {
    check_case("wiped memory is zero");
    char memory[] = "secret";
    tagoio_wipe(memory, sizeof memory);
    for (size_t i = 0; i < sizeof memory; i++) {
        check_number(0, memory[i]);
    }
}

int main(void) {
    static const check_test tests[] = {
        test_echoes,        test_request_id, test_faults,         test_cut,
        test_large_details, test_large_page, test_unread_answers, test_refusals,
        test_success,       test_edge,       test_wipe,
    };
    return check_run(tests, check_count(tests));
}
