#include <glob.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "config/keys.h"
#include "config/yaml.h"

namespace banyan {

namespace {

constexpr size_t file_bytes_max = 16 * 1024 * 1024;
constexpr size_t include_depth_max = 8;
constexpr size_t files_max = 1000;

// Joins two values of the same key, one after the other; nothing ("routes:") joins with everything.
// False: they are no two lists or maps.
bool join(Node& into, Node& more) {
  if (more.kind == Node::Kind::null) return true;
  if (into.kind == Node::Kind::null) {
    into = std::move(more);
    return true;
  }
  if (into.kind != more.kind) return false;
  if (into.kind != Node::Kind::list && into.kind != Node::Kind::map) return false;
  std::move(more.items.begin(), more.items.end(), std::back_inserter(into.items));
  std::move(more.entries.begin(), more.entries.end(), std::back_inserter(into.entries));
  return true;
}

// Tells what several files name, and keeps the first. Once for the whole, not once a file: a
// thousand files would look at each other's names a million times.
void drop_repeated(Entry& section, Problems& problems) {
  std::vector<Entry> kept;
  kept.reserve(section.value.entries.size());
  Keys keys(kept);
  for (Entry& entry : section.value.entries) {
    if (const Entry* first = keys.find(entry.key))
      problems.error(entry.place, printable(section.key) + "." + printable(entry.key),
                     "given twice; the first is at " + to_string(first->place));
    else
      kept.push_back(std::move(entry));
  }
  section.value.entries = std::move(kept);
}

// Joins the tree of an included file into the one that includes it: two levels deep, so services of
// both are one map, but a service is not pieced together from two files.
void merge(Node& into, Node more, Problems& problems) {
  into.broken |= more.broken;
  Keys keys(into.entries);
  for (Entry& entry : more.entries) {
    Entry* same = keys.find(entry.key);
    if (same == nullptr)
      into.entries.push_back(std::move(entry));
    else if (!join(same->value, entry.value))
      problems.error(entry.place, printable(entry.key),
                     "given twice; the first is at " + to_string(same->place));
  }
}

// One load: the files that are open, so that a circle is seen, and how many there were.
class Loader final {
 public:
  Loader(const Sources& sources, Problems& problems) : sources_(sources), problems_(problems) {}

  Node load(const std::string& path, const Place& from) {
    Node root;
    root.kind = Node::Kind::map;
    const auto text = read(path, from);
    root.broken = !text;
    if (!text) return root;
    root = parse_yaml(*text, path, sources_, problems_);
    if (root.kind != Node::Kind::map && root.kind != Node::Kind::null) {
      problems_.error(root.place, "", "a configuration is a map: name: value");
      return {};
    }
    open_.push_back(path);
    for (const Node& pattern : take_includes(root)) include(root, path, pattern);
    open_.pop_back();
    return root;
  }

 private:
  std::optional<std::string> read(const std::string& path, const Place& from) {
    if (++files_ > files_max) {
      if (files_ == files_max + 1)
        problems_.error(from, "include", "more than " + std::to_string(files_max) + " files");
      return std::nullopt;
    }
    auto text = sources_.file(path);
    if (!text)
      problems_.error(from, "", "cannot read " + path + "; check that it exists and may be read");
    else if (text->size() > file_bytes_max)
      problems_.error(from, "", path + " is larger than 16 MiB");
    else
      return text;
    return std::nullopt;
  }

  // Takes `include` out of the tree; gives its patterns.
  std::vector<Node> take_includes(Node& root) {
    const auto at = std::find_if(root.entries.begin(), root.entries.end(),
                                 [](const Entry& entry) { return entry.key == "include"; });
    if (at == root.entries.end()) return {};
    Node value = std::move(at->value);
    root.entries.erase(at);
    std::vector<Node> out;
    if (value.kind == Node::Kind::list)
      out = std::move(value.items);
    else
      out.push_back(std::move(value));
    std::erase_if(out, [&](const Node& pattern) {
      if (pattern.kind == Node::Kind::scalar && !pattern.text.empty()) return false;
      problems_.error(pattern.place, "include", "wants a file name, a pattern, or a list of them");
      return true;
    });
    return out;
  }

  void include(Node& root, const std::string& path, const Node& pattern) {
    // In its shortest form, because a circle is seen by the names of the open files.
    const auto folder = std::filesystem::path(path).parent_path();
    const auto files = sources_.glob((folder / pattern.text).lexically_normal().string());
    const bool may_be_none = pattern.text.find_first_of("*?[") != std::string::npos;
    if (files.empty() && !may_be_none)
      problems_.error(pattern.place, "include", "there is no file " + pattern.text);
    for (const std::string& file : files) {
      if (std::find(open_.begin(), open_.end(), file) != open_.end())
        problems_.error(pattern.place, "include", file + " includes itself");
      else if (open_.size() > include_depth_max)
        problems_.error(
            pattern.place, "include",
            "files include each other more than " + std::to_string(include_depth_max) + " deep");
      else
        merge(root, load(file, pattern.place), problems_);
    }
  }

  const Sources& sources_;
  Problems& problems_;
  std::vector<std::string> open_;
  size_t files_ = 0;
};

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

// One byte more than is allowed is enough to see that a file is too large.
std::optional<std::string> file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  while (in && text.size() <= file_bytes_max) {
    const size_t before = text.size();
    text.resize(std::min(before + 64 * 1024, file_bytes_max + 1));
    in.read(text.data() + before, static_cast<std::streamsize>(text.size() - before));
    text.resize(before + static_cast<size_t>(in.gcount()));
  }
  if (text.size() <= file_bytes_max && !in.eof()) return std::nullopt;  // also a folder ends here
  return text;
}

std::vector<std::string> glob_files(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> out;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return out;
}

}  // namespace

Node load_yaml(const std::string& path, const Sources& sources, Problems& problems) {
  const std::string shortest = std::filesystem::path(path).lexically_normal().string();
  Node root = Loader(sources, problems)
                  .load(shortest, {std::make_shared<const std::string>(shortest), 0, 0});
  for (Entry& section : root.entries) drop_repeated(section, problems);
  return root;
}

Sources system_sources() {
  return {.environment = variable, .file = file_text, .glob = glob_files};
}

}  // namespace banyan
