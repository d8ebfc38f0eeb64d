/* See errors.h. */
#include "conf/errors.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/xmem.h"

static void error_free(struct conf_error *e)
{
    free(e->file);
    free(e->path);
    free(e->message);
}

void conf_errors_fini(struct conf_errors *errs)
{
    for (size_t i = 0; i < errs->count; i++)
        error_free(&errs->items[i]);
    free(errs->items);
    *errs = (struct conf_errors){0};
}

__attribute__((format(printf, 1, 0))) static char *format_message(const char *format, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    ensure(n >= 0);
    char *text = xmalloc((size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, ap);
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?'; /* one error is one line, whatever the value holds */
    }
    return text;
}

void conf_errors_add(struct conf_errors *errs, struct node_pos pos, const char *path,
                     const char *format, ...)
{
    if (errs->count == CONF_ERRORS_MAX) {
        errs->dropped++;
        return;
    }
    if (errs->count == errs->capacity) {
        errs->capacity = errs->capacity ? errs->capacity * 2 : 8;
        errs->items = xrealloc(errs->items, errs->capacity * sizeof *errs->items);
    }
    va_list ap;
    va_start(ap, format);
    errs->items[errs->count++] = (struct conf_error){
        .file = xstrdup(pos.file ? pos.file : ""),
        .line = pos.line,
        .column = pos.column,
        .path = xstrdup(path),
        .message = format_message(format, ap),
    };
    va_end(ap);
}

void conf_errors_print(const struct conf_errors *errs, const char *label, FILE *out)
{
    for (size_t i = 0; i < errs->count; i++) {
        const struct conf_error *e = &errs->items[i];
        fprintf(out, "%s:%u:%u: %s: %s%s\n", e->file, e->line, e->column, e->path, label,
                e->message);
    }
    if (errs->dropped)
        fprintf(out, "and %zu more\n", errs->dropped);
}

struct file_order {
    const char *const *files;
    size_t count;
};

static size_t order_of(const struct file_order *order, const char *file)
{
    size_t i = 0;
    while (i < order->count && strcmp(order->files[i], file) != 0)
        i++;
    return i;
}

static int compare_errors(const void *va, const void *vb, void *arg)
{
    const struct conf_error *a = va, *b = vb;
    size_t file_a = order_of(arg, a->file), file_b = order_of(arg, b->file);
    if (file_a != file_b)
        return file_a < file_b ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    int by_path = strcmp(a->path, b->path);
    return by_path ? by_path : strcmp(a->message, b->message);
}

void conf_errors_sort(struct conf_errors *errs, const char *const *files, size_t count)
{
    struct file_order order = {files, count};
    if (errs->count == 0)
        return;
    qsort_r(errs->items, errs->count, sizeof *errs->items, compare_errors, &order);
    size_t kept = 1;
    for (size_t i = 1; i < errs->count; i++) {
        if (compare_errors(&errs->items[kept - 1], &errs->items[i], &order) == 0)
            error_free(&errs->items[i]);
        else
            errs->items[kept++] = errs->items[i];
    }
    errs->count = kept;
}
