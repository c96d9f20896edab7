#include "config/yaml.h"

#include <glob.h>
#include <yaml.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace banyan {

namespace {

constexpr size_t file_bytes_max = 16 * 1024 * 1024;
constexpr int depth_max = 64;

class Parser {
 public:
  Parser(const std::string& text, const std::string& file_name, const Sources& sources,
         Problems& problems)
      : sources_(sources),
        problems_(problems),
        file_(std::make_shared<const std::string>(file_name)) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  Node document() {
    Node root;
    root.place = {file_, 1, 1};
    while (next() && event_.type != YAML_STREAM_END_EVENT) {
      if (event_.type == YAML_DOCUMENT_START_EVENT) {
        if (seen_document_) return refuse("a second document; one file holds one", std::move(root));
        seen_document_ = true;
      } else if (event_.type != YAML_STREAM_START_EVENT && event_.type != YAML_DOCUMENT_END_EVENT) {
        root = value(0);
        if (failed_) break;
      }
    }
    return root;
  }

 private:
  Place place(const yaml_mark_t& mark) const {
    return {file_, static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
  }
  Node refuse(const std::string& why, Node so_far = {}) {
    if (!failed_) problems_.error(place(event_.start_mark), "", why);
    failed_ = true;
    return so_far;
  }
  // The next event; false at a syntax error (told) or after a refusal.
  bool next() {
    if (failed_) return false;
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) != 0) return true;
    failed_ = true;
    std::string why = parser_.problem != nullptr ? parser_.problem : "cannot be read";
    if (parser_.context != nullptr) why = std::string(parser_.context) + ": " + why;
    problems_.error(place(parser_.problem_mark), "", "not YAML: " + why);
    return false;
  }

  Node value(int depth) {
    Node node;
    node.place = place(event_.start_mark);
    if (depth > depth_max) return refuse("nested deeper than 64 levels", std::move(node));
    switch (event_.type) {
      case YAML_SCALAR_EVENT:
        return scalar(std::move(node));
      case YAML_SEQUENCE_START_EVENT:
        return list(std::move(node), depth);
      case YAML_MAPPING_START_EVENT:
        return map(std::move(node), depth);
      case YAML_ALIAS_EVENT:
        return refuse("aliases (*name) are not supported; use include or repeat the block");
      default:
        return refuse("unexpected structure");
    }
  }

  Node scalar(Node node) {
    const auto& s = event_.data.scalar;
    if (s.anchor != nullptr)
      return refuse("anchors (&name) are not supported; use include or repeat the block");
    const std::string_view raw(reinterpret_cast<const char*>(s.value), s.length);
    node.quoted = s.style != YAML_PLAIN_SCALAR_STYLE;
    const bool null = !node.quoted && (raw.empty() || raw == "~" || raw == "null");
    node.kind = null ? Node::Kind::null : Node::Kind::scalar;
    node.text = substitute(raw, node.place);
    if (node.text != raw) node.written = std::make_unique<std::string>(raw);
    return node;
  }

  Node list(Node node, int depth) {
    if (event_.data.sequence_start.anchor != nullptr)
      return refuse("anchors (&name) are not supported");
    node.kind = Node::Kind::list;
    while (next() && event_.type != YAML_SEQUENCE_END_EVENT) node.items.push_back(value(depth + 1));
    return node;
  }

  Node map(Node node, int depth) {
    if (event_.data.mapping_start.anchor != nullptr)
      return refuse("anchors (&name) are not supported");
    node.kind = Node::Kind::map;
    while (next() && event_.type != YAML_MAPPING_END_EVENT) {
      if (event_.type != YAML_SCALAR_EVENT) return refuse("a key must be a word", std::move(node));
      Entry entry;
      entry.place = place(event_.start_mark);
      entry.key.assign(reinterpret_cast<const char*>(event_.data.scalar.value),
                       event_.data.scalar.length);
      if (!next()) return node;
      entry.value = value(depth + 1);
      add(node, std::move(entry));
    }
    return node;
  }

  void add(Node& map, Entry entry) {
    // Large maps (services by the thousand) are checked for duplicates by the schema's name index.
    if (map.entries.size() < 64) {
      if (const Node* first = map.find(entry.key)) {
        problems_.error(entry.place, entry.key,
                        "given twice; the first is at " + to_string(first->place));
        return;
      }
    }
    map.entries.push_back(std::move(entry));
  }

  std::string substitute(std::string_view raw, const Place& at) {
    if (raw.find("${") == std::string_view::npos) return std::string(raw);
    std::string out;
    while (!raw.empty()) {
      const size_t dollar = raw.find("${");
      out += raw.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      if (dollar > 0 && raw[dollar - 1] == '$') {
        out += '{';  // the first $ is in the text already
        raw.remove_prefix(dollar + 2);
        continue;
      }
      const size_t end = raw.find('}', dollar);
      if (end == std::string_view::npos) {
        problems_.error(at, "", "'${' without its '}'");
        break;
      }
      out += variable(raw.substr(dollar + 2, end - dollar - 2), at);
      raw.remove_prefix(end + 1);
    }
    return out;
  }

  std::string variable(std::string_view inside, const Place& at) {
    const size_t colon = inside.find(":-");
    const std::string name(inside.substr(0, colon));
    if (auto found = sources_.environment(name)) return *found;
    if (colon != std::string_view::npos) return std::string(inside.substr(colon + 2));
    problems_.error(
        at, "",
        "the environment has no " + name + "; set it, or give a default: ${" + name + ":-value}");
    return {};
  }

  const Sources& sources_;
  Problems& problems_;
  const std::shared_ptr<const std::string> file_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool failed_ = false;
  bool seen_document_ = false;
};

// Joins `more` into `into`; a key of both is joined when both are maps or lists, else told.
void merge(Node& into, Node more, Problems& problems, const std::string& path, int depth) {
  for (Entry& entry : more.entries) {
    const std::string here = path.empty() ? entry.key : path + "." + entry.key;
    auto same = std::find_if(into.entries.begin(), into.entries.end(),
                             [&](const Entry& e) { return e.key == entry.key; });
    if (same == into.entries.end()) {
      into.entries.push_back(std::move(entry));
    } else if (depth == 0 && same->value.kind == Node::Kind::list &&
               entry.value.kind == Node::Kind::list) {
      for (Node& item : entry.value.items) same->value.items.push_back(std::move(item));
    } else if (depth == 0 && same->value.kind == Node::Kind::map &&
               entry.value.kind == Node::Kind::map) {
      merge(same->value, std::move(entry.value), problems, here, depth + 1);
    } else {
      problems.error(entry.place, here, "given twice; the first is at " + to_string(same->place));
    }
  }
}

struct Included {
  std::string pattern;
  Place place;
};

std::vector<Included> take_includes(Node& root, Problems& problems) {
  std::vector<Included> out;
  std::erase_if(root.entries, [&](Entry& entry) {
    if (entry.key != "include") return false;
    const Node& v = entry.value;
    if (v.kind == Node::Kind::scalar) out.push_back({v.text, v.place});
    for (const Node& item : v.items) out.push_back({item.text, item.place});
    if (out.empty())
      problems.error(v.place, "include", "wants a file name, a pattern, or a list of them");
    return true;
  });
  return out;
}

Node load_tree(const std::string& path, const Place& from, const Sources& sources,
               Problems& problems, std::vector<std::string>& open) {
  auto text = sources.file(path);
  Node root;
  root.kind = Node::Kind::map;
  if (!text) {
    problems.error(from, "", "cannot read " + path + "; check that it exists and may be read");
    return root;
  }
  if (text->size() > file_bytes_max) {
    problems.error(from, "", path + " is larger than 16 MiB");
    return root;
  }
  open.push_back(path);
  root = parse_yaml(*text, path, sources, problems);
  for (const Included& inc : take_includes(root, problems)) {
    const auto folder = std::filesystem::path(path).parent_path();
    const auto files = sources.glob((folder / inc.pattern).string());
    const bool is_pattern = inc.pattern.find_first_of("*?[") != std::string::npos;
    if (files.empty() && !is_pattern)
      problems.error(inc.place, "include", "there is no file " + inc.pattern);
    for (const std::string& file : files) {
      if (std::find(open.begin(), open.end(), file) != open.end())
        problems.error(inc.place, "include", file + " includes itself");
      else
        merge(root, load_tree(file, inc.place, sources, problems, open), problems, "", 0);
    }
  }
  open.pop_back();
  return root;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& e : entries)
    if (e.key == key) return &e.value;
  return nullptr;
}

Node parse_yaml(const std::string& text, const std::string& file_name, const Sources& sources,
                Problems& problems) {
  return Parser(text, file_name, sources, problems).document();
}

Node load_yaml(const std::string& path, const Sources& sources, Problems& problems) {
  std::vector<std::string> open;
  return load_tree(path, {std::make_shared<const std::string>(path), 0, 0}, sources, problems,
                   open);
}

Sources system_sources() {
  return {.environment = [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
          },
          .file = [](const std::string& path) -> std::optional<std::string> {
            std::ifstream in(path, std::ios::binary);
            std::ostringstream text;
            if (!in || !(text << in.rdbuf()))
              return in && in.peek() == EOF ? std::optional<std::string>("") : std::nullopt;
            return std::move(text).str();
          },
          .glob =
              [](const std::string& pattern) {
                glob_t found{};
                std::vector<std::string> out;
                if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
                  out.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
                ::globfree(&found);
                return out;
              }};
}

}  // namespace banyan
