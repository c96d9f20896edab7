// YAML as a tree in which every key and value knows its place, built from libyaml's events.
// Owner: the caller. Thread: one.
// Bounds: 16 MiB a file, 64 levels, 1000 files that include each other 8 deep; anchors and aliases
// are refused, so a small file cannot become a large tree.
// ${VAR} and ${VAR:-default} in scalars are replaced from the environment given; $${ is a plain ${.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/problems.h"

namespace banyan {

struct Entry;

struct Node {
  enum class Kind : uint8_t { null, scalar, list, map };
  Kind kind = Kind::null;
  bool broken = false;          // of a root: bad syntax or an unreadable file; not the whole tree
  bool quoted = false;          // a scalar written with quotes is always text
  mutable bool secret = false;  // set by whoever reads it as one: never shown
  Place place;
  std::string text;                      // of a scalar
  std::unique_ptr<std::string> written;  // as it stood in the file, when ${VAR} was replaced
  std::vector<Node> items;               // of a list
  std::vector<Entry> entries;            // of a map, in the order of the file

  const Node* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Node value;
};

// Where texts come from; tests and fuzzers bring their own.
struct Sources {
  std::function<std::optional<std::string>(const std::string& name)> environment;
  // nullopt: cannot be read.
  std::function<std::optional<std::string>(const std::string& path)> file;
  // Files that match a shell pattern, sorted.
  std::function<std::vector<std::string>(const std::string& pattern)> glob;
};
Sources system_sources();

// The tree of one text. On a syntax error: a problem, and what was read so far.
Node parse_yaml(const std::string& text, const std::string& file_name, const Sources& sources,
                Problems& problems);
// A file and the files its top-level `include` names: maps are joined by key, lists one after the
// other. A name that is given twice is a problem that tells both places.
Node load_yaml(const std::string& path, const Sources& sources, Problems& problems);

}  // namespace banyan
