/* SPDX-License-Identifier: MIT */
/* Arguments to a URL and a body, of each of our operations and of any endpoint. */
#include "fuzz.h"
#include "request_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = fuzz_open(data, size);
    const tagoio_operation *row = fuzz_row(&in);
    json_t *arguments = fuzz_arguments(&in, row);
    oracle_check(row, arguments);
    json_array_append_new(arguments, fuzz_json(&in, 1));
    oracle_check(row, arguments);
    json_array_clear(arguments);
    oracle_check(row, arguments);
    json_decref(arguments);
    return 0;
}
