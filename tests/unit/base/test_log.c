/* The error log: one line an event, valid JSON whatever the text, levels and reopening. */
#include "base/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/test-log-XXXXXX";
static char path[64];
static char rotated[64];

static void open_log(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/error.log", folder);
    snprintf(rotated, sizeof(rotated), "%s/error.log.1", folder);
    cr_assert_eq(log_open(path, LOG_LEVEL_INFO), 0);
}

static void remove_log(void)
{
    unlink(path);
    unlink(rotated);
    rmdir(folder);
}

TestSuite(log, .init = open_log, .fini = remove_log);

/* Line number `number` (from 0) of a file, parsed; NULL: it has fewer lines. */
static json_t *line_of(const char *file, int number)
{
    static char text[65536];
    FILE *in = fopen(file, "r");
    json_t *line = NULL;

    cr_assert_not_null(in);
    for (int i = 0; fgets(text, sizeof(text), in) != NULL; i++) {
        if (i != number)
            continue;
        line = json_loads(text, 0, NULL);
        cr_assert_not_null(line, "not JSON: %s", text);
    }
    fclose(in);
    return line;
}

static void assert_member(json_t *line, const char *key, const char *value)
{
    cr_assert_str_eq(json_string_value(json_object_get(line, key)), value);
}

Test(log, a_line_has_the_names_of_the_elastic_common_schema)
{
    log_warn("%s has %d legs", "a dog", 4);
    json_t *line = line_of(path, 0);
    assert_member(line, "message", "a dog has 4 legs");
    assert_member(line, "log.level", "warn");
    cr_assert_eq(json_integer_value(json_object_get(line, "process.pid")), getpid());
    const char *when = json_string_value(json_object_get(line, "@timestamp"));
    cr_assert_eq(strlen(when), strlen("2026-01-02T03:04:05.678Z"));
    json_decref(line);
}

Test(log, any_text_becomes_valid_json)
{
    const struct log_field fields[] = {{"url.path", "/\"\\\x01\xff"}, {"error.code", "E\n1"}};

    log_write(LOG_LEVEL_ERROR, fields, 2, "quote \" and %c newline", '\n');
    json_t *line = line_of(path, 0);
    assert_member(line, "message", "quote \" and \n newline");
    assert_member(line, "url.path", "/\"\\\x01\xef\xbf\xbd");
    assert_member(line, "error.code", "E\n1");
    json_decref(line);
}

Test(log, a_long_message_is_cut_and_the_line_stays_whole)
{
    char text[3 * LOG_MESSAGE_MAX];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    json_t *line = line_of(path, 0);
    cr_assert_eq(json_string_length(json_object_get(line, "message")), LOG_MESSAGE_MAX);
    json_decref(line);
}

Test(log, lines_above_the_level_are_not_written)
{
    log_debug("hidden");
    cr_assert_null(line_of(path, 0));
    cr_assert_not(log_enabled(LOG_LEVEL_DEBUG));
    cr_assert(log_enabled(LOG_LEVEL_INFO));
}

Test(log, reopening_follows_a_rotation)
{
    log_info("before");
    cr_assert_eq(rename(path, rotated), 0);
    log_info("still the old file");
    cr_assert_eq(log_reopen(), 0);
    log_info("after");
    json_t *line = line_of(path, 0);
    assert_member(line, "message", "after");
    json_decref(line);
    json_decref(line_of(rotated, 1));
}

Test(log, a_file_that_cannot_be_opened_leaves_the_old_one)
{
    cr_assert_eq(log_open("/nowhere/error.log", LOG_LEVEL_DEBUG), ENOENT);
    log_info("here");
    json_t *line = line_of(path, 0);
    assert_member(line, "message", "here");
    json_decref(line);
}

Test(log, levels_have_names)
{
    enum log_level level;

    cr_assert(log_level_parse("debug", &level));
    cr_assert_eq(level, LOG_LEVEL_DEBUG);
    cr_assert_not(log_level_parse("loud", &level));
}
