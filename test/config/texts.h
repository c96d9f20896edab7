// Files that exist only in a test, and what reading them tells.
#pragma once
#include <fnmatch.h>

#include <map>
#include <string>

#include "config/schema.h"

namespace banyan {

// Names to texts, for `${VAR}` and for files.
struct Texts {
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> files;

  // Refers to this object.
  Sources sources() const {
    return {.environment = [this](const std::string& name) { return find(environment, name); },
            .file = [this](const std::string& path) { return find(files, path); },
            .glob =
                [this](const std::string& pattern) {
                  std::vector<std::string> out;
                  for (const auto& [path, text] : files)
                    if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0)
                      out.push_back(path);
                  return out;
                }};
  }

 private:
  static std::optional<std::string> find(const std::map<std::string, std::string>& in,
                                         const std::string& key) {
    const auto found = in.find(key);
    return found != in.end() ? std::optional(found->second) : std::nullopt;
  }
};

// What reading a text gave: its tree, its value, and everything that was told.
template <class T>
struct ReadText {
  Problems problems;
  Node tree;
  T value{};
  bool good = false;
  std::string told;

  explicit ReadText(const std::string& text, const Texts& texts = {}) {
    tree = parse_yaml(text, "f.yaml", texts.sources(), problems);
    good = Value<T>::read(tree, value, Reading(problems));
    told = problems.text();
  }
};

}  // namespace banyan
