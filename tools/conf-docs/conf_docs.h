/* What is generated from the tables of keys: the reference for people and the schema for editors.
 */
#ifndef TG_TOOLS_CONF_DOCS_H
#define TG_TOOLS_CONF_DOCS_H

#include "base/schema.h"

#include <stdio.h>

/* docs/configuration.md, from the table of the top level. */
void markdown_print(const struct key *keys, FILE *out);
/* conf/tollgate.schema.json (JSON schema 2020-12). */
void json_schema_print(const struct key *keys, FILE *out);

#endif
