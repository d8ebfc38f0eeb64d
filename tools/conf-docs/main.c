/* Prints what is generated from the tables of keys; tools/check-conf-docs compares it with the
 * tree. */
#include "conf_docs.h"

#include "conf/keys.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "markdown") == 0) {
        markdown_print(KEYS_ROOT, stdout);
    } else if (argc == 2 && strcmp(argv[1], "schema") == 0) {
        json_schema_print(KEYS_ROOT, stdout);
    } else {
        fputs("usage: conf-docs markdown | schema\n", stderr);
        return 2;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
