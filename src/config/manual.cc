#include "config/manual.h"

#include <algorithm>
#include <limits>

namespace banyan {

namespace {

using Kind = TypeNote::Kind;

// The structures that can be reached, each once, `root` first.
void collect(const Structure& root, std::vector<const Structure*>& out);

void collect(const TypeNote& type, std::vector<const Structure*>& out) {
  if (type.structure != nullptr) collect(type.structure(), out);
  for (const TypeNote& inner : type.inner) collect(inner, out);
}

void collect(const Structure& root, std::vector<const Structure*>& out) {
  if (std::find(out.begin(), out.end(), &root) != out.end()) return;
  out.push_back(&root);
  for (const FieldNote& field : root.fields) collect(field.type, out);
}

std::string anchor(std::string_view heading) {
  std::string out;
  for (char c : heading) {
    if (c == ' ') out += '-';
    if (is_alpha(c) || is_digit(c) || c == '-' || c == '_') out += lower(c);
  }
  return out;
}

std::string type_text(const TypeNote& type) {
  switch (type.kind) {
    case Kind::choice: {
      std::string out;
      for (const std::string& w : type.words) out += (out.empty() ? "`" : ", `") + w + "`";
      return out;
    }
    case Kind::list:
      return "list of " + type_text(type.inner[0]);
    case Kind::map:
      return type.name == "map" ? "map of names to " + type_text(type.inner[0])
                                : "`" + type.name + "`";
    case Kind::structure: {
      const std::string& name = type.structure().name;
      return "[" + name + "](#" + anchor(name) + ")";
    }
    case Kind::any_of: {
      if (type.name == "size") return "size";
      std::string out;
      for (const TypeNote& t : type.inner) out += (out.empty() ? "" : " or ") + type_text(t);
      return out;
    }
    default:
      return type.name;
  }
}

std::string escape_cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string default_cell(const FieldNote& field) {
  if (field.required) return "required";
  return field.standard.empty() ? "" : "`" + escape_cell(field.standard) + "`";
}

void append_section(std::string& out, const Structure& s) {
  out += "\n## " + s.name + "\n" + s.about + "\n";
  if (!s.shorthand.empty()) out += "\nA value alone stands for `" + s.shorthand + "`.\n";
  out += "\n| word | type | default | meaning |\n|---|---|---|---|\n";
  for (const FieldNote& f : s.fields) {
    out += "| `" + f.name + "` | " + escape_cell(type_text(f.type)) + " | " + default_cell(f) +
           " | " + escape_cell(f.about);
    if (!f.range.empty()) out += " Range: " + f.range + ".";
    out += " |\n";
  }
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  return out + '"';
}

std::string schema_of(const TypeNote& type);

std::string schemas_of(const std::vector<TypeNote>& types) {
  std::string out;
  for (const TypeNote& t : types) out += (out.empty() ? "" : ",") + schema_of(t);
  return out;
}

std::string number_schema(const TypeNote& type) {
  std::string out = R"({"type":"integer","minimum":)" + std::to_string(type.least);
  if (type.most != std::numeric_limits<uint64_t>::max())
    out += ",\"maximum\":" + std::to_string(type.most);
  return out + "}";
}

std::string schema_of(const TypeNote& type) {
  switch (type.kind) {
    case Kind::text:
      // YAML reads an unquoted 2 or true as something else; both are taken as text.
      if (type.pattern.empty()) return R"({"type":["string","number","boolean"]})";
      return R"({"type":["string","integer"],"pattern":)" + quoted(type.pattern) + "}";
    case Kind::number:
      return number_schema(type);
    case Kind::boolean:
      return R"({"type":"boolean"})";
    case Kind::choice: {
      std::string words;
      for (const std::string& w : type.words) words += (words.empty() ? "" : ",") + quoted(w);
      return "{\"enum\":[" + words + "]}";
    }
    case Kind::list:
      return R"({"anyOf":[{"type":"array","items":)" + schema_of(type.inner[0]) + "}," +
             schema_of(type.inner[0]) + "]}";
    case Kind::map:
      return R"({"type":["object","null"],"additionalProperties":)" + schema_of(type.inner[0]) +
             "}";
    case Kind::structure:
      return R"({"$ref":"#/$defs/)" + anchor(type.structure().name) + "\"}";
    case Kind::any_of:
      return "{\"anyOf\":[" + schemas_of(type.inner) + "]}";
  }
  return "{}";
}

std::string field_schema(const FieldNote& field) {
  // allOf, because a $ref may not have company in every validator.
  std::string out = "{\"description\":" + quoted(field.about);
  const bool bare = field.type.kind == Kind::number || field.type.kind == Kind::boolean;
  if (!field.standard.empty())
    out += ",\"default\":" + (bare ? field.standard : quoted(field.standard));
  return out + ",\"allOf\":[" + schema_of(field.type) + "]}";
}

std::string structure_schema(const Structure& s) {
  std::string properties, required_names;
  for (const FieldNote& f : s.fields) {
    properties += (properties.empty() ? "\n" : ",\n") + quoted(f.name) + ":" + field_schema(f);
    if (f.required) required_names += (required_names.empty() ? "" : ",") + quoted(f.name);
  }
  std::string out = R"({"type":["object","null"],"description":)" + quoted(s.about) +
                    ",\"additionalProperties\":false,\"properties\":{" + properties + "}";
  if (!required_names.empty()) out += ",\"required\":[" + required_names + "]";
  out += "}";
  if (s.shorthand.empty()) return out;
  const auto field = std::find_if(s.fields.begin(), s.fields.end(),
                                  [&](const FieldNote& f) { return f.name == s.shorthand; });
  return "{\"anyOf\":[" + out + "," + schema_of(field->type) + "]}";
}

bool is_plain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null") return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '/' ||
                              c == '-';
                     }) &&
         text.front() != '-' && text != "---";
}

std::string scalar_yaml(const Node& node) {
  if (node.secret) return "(hidden)";
  if (node.kind == Node::Kind::null) return "~";
  const std::string& text = node.written ? *node.written : node.text;
  return !node.quoted && is_plain(text) ? text : quoted(text);
}

void append_yaml(std::string& out, const Node& node, size_t indent);

// A value behind "key:" or "-".
void append_value(std::string& out, const Node& node, size_t indent) {
  const bool block = !node.secret && (!node.entries.empty() || !node.items.empty());
  if (block) {
    out += '\n';
    append_yaml(out, node, indent);
  } else if (node.secret || node.kind == Node::Kind::scalar || node.kind == Node::Kind::null) {
    out += ' ' + scalar_yaml(node) + '\n';
  } else {
    out += node.kind == Node::Kind::list ? " []\n" : " {}\n";
  }
}

void append_yaml(std::string& out, const Node& node, size_t indent) {
  for (const Entry& entry : node.entries) {
    out.append(indent, ' ');
    out += (is_plain(entry.key) ? entry.key : quoted(entry.key)) + ':';
    append_value(out, entry.value, indent + 2);
  }
  for (const Node& item : node.items) {
    out.append(indent, ' ');
    out += '-';
    append_value(out, item, indent + 2);
  }
}

}  // namespace

std::string manual_markdown(const Structure& root) {
  std::vector<const Structure*> all;
  collect(root, all);
  std::string out;
  for (const Structure* s : all) append_section(out, *s);
  return out;
}

std::string json_schema(const Structure& root, std::string_view title) {
  std::vector<const Structure*> all;
  collect(root, all);
  std::string out =
      "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n\"title\":" + quoted(title) +
      ",\n\"$ref\":\"#/$defs/" + anchor(root.name) + "\",\n\"$defs\":{";
  for (size_t i = 0; i < all.size(); ++i)
    out += (i == 0 ? "\n" : ",\n") + quoted(anchor(all[i]->name)) + ":" + structure_schema(*all[i]);
  return out + "}}\n";
}

std::string dump_yaml(const Node& root) {
  std::string out;
  append_yaml(out, root, 0);
  return out;
}

}  // namespace banyan
