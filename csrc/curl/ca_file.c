/* SPDX-License-Identifier: MIT */
/* Choosing a file of CA certificates and looking for one in it: a wrong file is told
   when a client is made, not by each of its calls. It includes the C library alone. */
#define _POSIX_C_SOURCE 200809L /* S_ISREG */

#include "curl/ca_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A system's bundle has some thousands. */
static const long most_lines = 200000;

/* What OpenSSL takes as a certificate in PEM. */
static bool begins_certificate(const char *line) {
    static const char *const beginnings[] = {"-----BEGIN CERTIFICATE-----",
                                             "-----BEGIN TRUSTED CERTIFICATE-----",
                                             "-----BEGIN X509 CERTIFICATE-----"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (strncmp(line, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool holds_certificate(FILE *file) {
    char line[256];
    bool at_start = true;
    for (long i = 0; i < most_lines && fgets(line, sizeof line, file) != NULL; i++) {
        if (at_start && begins_certificate(line)) {
            return true;
        }
        size_t length = strlen(line);
        at_start = length > 0 && line[length - 1] == '\n';
    }
    return false;
}

static bool cannot_read(const char *name, const char *path, int code,
                        tagoio_error *err) {
    if (code == ENOMEM) {
        return tagoio_error_memory(err);
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc's has a buffer for each thread */
    const char *reason = strerror(code);
    return tagoio_error_set(err, TAGOIO_ERROR_INVALID, "%s: cannot read %.300s: %s",
                            name, path, reason);
}

/* Regular files alone: a pipe would wait for its writer, and give its bytes once. */
static bool check(const char *name, const char *path, tagoio_error *err) {
    struct stat about;
    FILE *file = NULL;
    if (stat(path, &about) != 0) {
        return cannot_read(name, path, errno, err);
    }
    if (S_ISREG(about.st_mode)) {
        errno = ENOMEM; /* every other failure says so by itself */
        file = fopen(path, "rb");
        if (file == NULL) {
            return cannot_read(name, path, errno, err);
        }
    }
    bool ok = file != NULL && holds_certificate(file);
    if (file != NULL) {
        fclose(file);
    }
    return ok || tagoio_error_set(err, TAGOIO_ERROR_INVALID,
                                  "%s: must be a file with certificates in PEM (got "
                                  "%.300s)",
                                  name, path);
}

bool tagoio_ca_file_find(const char **path, const char *option, bool secure,
                         tagoio_error *err) {
    /* NOLINTBEGIN(concurrency-mt-unsafe): unless another thread sets them */
    const struct {
        const char *name;
        const char *path;
    } sources[] = {
        {"ca_file", option},
        {"SSL_CERT_FILE", secure ? getenv("SSL_CERT_FILE") : NULL},
        {"CURL_CA_BUNDLE", secure ? getenv("CURL_CA_BUNDLE") : NULL},
    };
    /* NOLINTEND(concurrency-mt-unsafe) */
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (sources[i].path != NULL && sources[i].path[0] != '\0') {
            *path = sources[i].path;
            return check(sources[i].name, sources[i].path, err);
        }
    }
    *path = NULL;
    return true;
}
