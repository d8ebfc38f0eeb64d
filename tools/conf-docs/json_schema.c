/*
 * conf/tollgate.schema.json. It is for editors: what one file alone can be wrong in. Rules between
 * keys and whether names and files exist are the gateway's own to check.
 */
#include "conf_docs.h"

#include "base/check.h"
#include "base/str.h"

#include <jansson.h>

static json_t *map_schema(const struct key *keys);

static json_t *parse(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    ensure(value);
    return value;
}

/* {"$ref": "#/$defs/NAME"} */
static json_t *reference(const char *name)
{
    char path[40];
    snprintf(path, sizeof path, "#/$defs/%s", name);
    return json_pack("{s:s}", "$ref", path);
}

static json_t *any_of(json_t *first, json_t *second)
{
    return json_pack("{s:[o,o]}", "anyOf", first, second);
}

static json_t *words_schema(const struct key *k)
{
    json_t *plain = json_array(), *choices = json_array();
    for (const char *const *w = k->words; *w; w++) {
        size_t n = strlen(*w);
        char pattern[80];
        snprintf(pattern, sizeof pattern, "^%s.+$", *w);
        if ((*w)[n - 1] == ':')
            json_array_append_new(choices, json_pack("{s:s}", "pattern", pattern));
        else
            json_array_append_new(plain, json_string(*w));
    }
    if (json_array_size(plain))
        json_array_append_new(choices, json_pack("{s:O}", "enum", plain));
    json_decref(plain);
    json_array_append_new(choices, reference("replaced"));
    return json_pack("{s:o}", "anyOf", choices);
}

static json_t *int_schema(const struct key *k)
{
    json_t *number = json_pack("{s:s,s:I,s:I}", "type", "integer", "minimum", (json_int_t)k->min,
                               "maximum", (json_int_t)k->max);
    json_t *either = any_of(number, reference("replaced"));
    if (k->words)
        json_array_append_new(json_object_get(either, "anyOf"),
                              json_pack("{s:s}", "const", k->words[0]));
    return either;
}

static json_t *map_or_short(const struct key *k)
{
    json_t *map = map_schema(k->children);
    if (!k->alone || (k->flags & KEY_LIST && k->alone[0] != '='))
        return map;
    return any_of(map,
                  k->alone[0] == '=' ? reference("text") : json_pack("{s:s}", "const", k->alone));
}

static json_t *one_schema(const struct key *k)
{
    switch (k->type) {
    case KEY_MAP: return map_or_short(k);
    case KEY_ANY: return json_object();
    case KEY_BOOL: return reference("bool");
    case KEY_REDIRECT: return reference("bool_or_port");
    case KEY_INT: return int_schema(k);
    case KEY_ENUM: return words_schema(k);
    case KEY_DURATION: return reference("duration");
    case KEY_SIZE: return reference("size");
    default: return reference("text");
    }
}

static json_t *list_schema(const struct key *k)
{
    json_t *list = json_pack("{s:[s,s],s:o}", "type", "array", "null", "items", one_schema(k));
    if (k->flags & KEY_NONEMPTY)
        json_object_set_new(list, "minItems", json_integer(1));
    if (k->flags & KEY_ONE_OR_LIST)
        return any_of(list, one_schema(k));
    return k->alone && k->alone[0] != '=' ? any_of(list, json_pack("{s:s}", "const", k->alone))
                                          : list;
}

static json_t *scalar_default(const struct key *k, struct str text)
{
    uint64_t number;
    if (k->type == KEY_BOOL || k->type == KEY_REDIRECT)
        return json_boolean(str_eq(text, STR("true")));
    if (k->type == KEY_INT && str_to_u64(text, &number))
        return json_integer((json_int_t)number);
    return json_stringn(text.p, text.n);
}

static json_t *default_value(const struct key *k)
{
    struct str rest = str_of(k->def), part;
    if (!(k->flags & (KEY_LIST | KEY_ONE_OR_LIST)))
        return scalar_default(k, rest);
    json_t *list = json_array();
    while (!str_eq(str_of(k->def), STR("[]")) && str_split(&rest, ',', &part))
        json_array_append_new(list, scalar_default(k, str_trim_ows(part)));
    return list;
}

static json_t *key_schema(const struct key *k)
{
    json_t *schema = json_pack("{s:s}", "description", k->doc);
    if (k->def && !k->depends && k->type != KEY_MAP)
        json_object_set_new(schema, "default", default_value(k));
    json_t *value = k->flags & (KEY_LIST | KEY_ONE_OR_LIST) ? list_schema(k) : one_schema(k);
    json_object_update(schema, value);
    json_decref(value);
    return schema;
}

static json_t *map_schema(const struct key *keys)
{
    json_t *schema = json_pack("{s:[s,s]}", "type", "object", "null"), *properties = json_object(),
           *required = json_array();
    if (keys[0].name[0] == '*') {
        json_object_set_new(schema, "additionalProperties", key_schema(keys));
        json_decref(properties);
        json_decref(required);
        return schema;
    }
    for (const struct key *k = keys; k->name; k++) {
        json_object_set_new(properties, k->name, key_schema(k));
        if (k->flags & KEY_REQUIRED)
            json_array_append_new(required, json_string(k->name));
    }
    json_object_set_new(schema, "properties", properties);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    json_object_set_new(schema, "additionalProperties", json_false());
    return schema;
}

static const char DEFINITIONS[] =
    "{\"replaced\":{\"description\":\"Nothing, or text that is replaced before its type is "
    "checked.\","
    "\"type\":[\"string\",\"null\"],\"pattern\":\"[$][{](env|file):\"},"
    "\"text\":{\"type\":[\"string\",\"number\",\"null\"]},"
    "\"bool\":{\"anyOf\":[{\"type\":\"boolean\"},{\"$ref\":\"#/$defs/replaced\"}]},"
    "\"bool_or_port\":{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"integer\",\"minimum\":1,"
    "\"maximum\":65535},{\"$ref\":\"#/$defs/replaced\"}]},"
    "\"duration\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\","
    "\"pattern\":"
    "\"^(0|([0-9]+(ms|s|m|h|d))+)$\"},{\"$ref\":\"#/$defs/replaced\"}]},"
    "\"size\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},{\"type\":\"string\",\"pattern\":"
    "\"^[0-9]+(KiB|MiB|GiB)?$\"},{\"$ref\":\"#/$defs/replaced\"}]}}";

static const char INCLUDE[] =
    "{\"description\":\"Further files; patterns such as routes/*.yaml.\",\"anyOf\":["
    "{\"type\":\"array\",\"items\":{\"type\":\"string\"}},{\"type\":[\"string\",\"null\"]}]}";

void json_schema_print(const struct key *keys, FILE *out)
{
    json_t *root = json_object(), *map = map_schema(keys);
    json_object_set_new(root, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(root, "title", json_string("Configuration of Tollgate"));
    json_object_set_new(json_object_get(map, "properties"), "include", parse(INCLUDE));
    json_object_del(map, "required"); /* with `include`, any key may stand in another file */
    json_object_update(root, map);
    json_object_set_new(root, "$defs", parse(DEFINITIONS));
    json_dumpf(root, out, JSON_INDENT(1));
    fputs("\n", out);
    json_decref(map);
    json_decref(root);
}
