/* Configurations in a few lines, and what must be said of them. */
#ifndef TG_TESTS_CONF_CASE_H
#define TG_TESTS_CONF_CASE_H

#include "conf/conf.h"

/*
 * `text` is completed by a listener `l`, a service `s` and a public route `r` below it, each unless
 * the text has that key itself, so positions in it count from 1:1.
 */
struct conf_case {
    const char *text;
    const char
        *want; /* errors, one a line: "LINE:COLUMN: PATH: beginning of the message"; "" for none */
};

/* Loads the completed text under the name t.yaml; the caller unrefs. Fails the test on any error.
 */
struct conf *conf_case_load(const char *text);
/* Checks that exactly the wanted errors are found. */
void conf_case_check(const struct conf_case *cases, size_t count);
/* The errors of a text that is not completed, under `name`, as conf_errors_print has them;
 * malloc'd. */
char *conf_case_errors(const char *name, const char *text);
/* A new folder, removed at exit of the test; and a file in it. */
const char *conf_case_folder(void);
void conf_case_file(const char *folder, const char *name, const char *text);

#define CHECK_CASES(...)                                                                           \
    do {                                                                                           \
        static const struct conf_case WANTED[] = {__VA_ARGS__};                                    \
        conf_case_check(WANTED, sizeof WANTED / sizeof *WANTED);                                   \
    } while (0)

#endif
