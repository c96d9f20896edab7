// manual: the reference (Markdown) and the JSON Schema (draft 2020-12), made from the declarations
// that the reader uses, so they cannot differ from it; and a configuration as text with its secrets
// hidden. Owner: none, these are functions. Thread: any.
#pragma once
#include <string>

#include "config/schema.h"

namespace banyan {

// All structures that `root` reaches, each once, in the order they are met.
std::string manual_markdown(const Structure& root);
std::string json_schema(const Structure& root, std::string_view title);

// The tree as YAML: includes joined, ${VAR} as it was written, secrets as "(hidden)". Call it after
// the tree was read, because the reader is who knows what is secret.
std::string dump_yaml(const Node& root);

}  // namespace banyan
