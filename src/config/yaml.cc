#include "config/yaml.h"

#include <yaml.h>

#include <algorithm>

#include "base/text.h"
#include "config/keys.h"

namespace banyan {

namespace {

constexpr int depth_max = 64;

class Parser {
 public:
  Parser(const std::string& text, const std::string& file_name, const Sources& sources,
         Problems& problems)
      : text_(text),
        sources_(sources),
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
        if (seen_document_) {
          root = refuse("a second document; one file holds one", std::move(root));
          break;
        }
        seen_document_ = true;
      } else if (event_.type != YAML_STREAM_START_EVENT && event_.type != YAML_DOCUMENT_END_EVENT) {
        root = value(0);
        if (failed_) break;
      }
    }
    root.broken = failed_;
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
    const bool unreadable = parser_.error == YAML_READER_ERROR;
    problems_.error(
        unreadable ? place_of_byte(parser_.problem_offset) : place(parser_.problem_mark), "",
        "not YAML: " + why);
    return false;
  }
  // Bytes that are no text have no mark, only an offset. Columns count characters, as marks do.
  Place place_of_byte(size_t offset) const {
    const std::string_view before = std::string_view(text_).substr(0, offset);
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const auto characters =
        std::count_if(before.begin() + static_cast<ptrdiff_t>(line_start), before.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    return {file_, static_cast<uint32_t>(lines + 1), static_cast<uint32_t>(characters + 1)};
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
    Keys keys(node.entries);
    while (next() && event_.type != YAML_MAPPING_END_EVENT) {
      if (event_.type != YAML_SCALAR_EVENT) return refuse("a key must be a word", std::move(node));
      Entry entry;
      entry.place = place(event_.start_mark);
      entry.key.assign(reinterpret_cast<const char*>(event_.data.scalar.value),
                       event_.data.scalar.length);
      if (!next()) return node;
      entry.value = value(depth + 1);
      if (const Entry* first = keys.find(entry.key))
        tell_twice(entry, *first);
      else
        node.entries.push_back(std::move(entry));
    }
    return node;
  }

  void tell_twice(const Entry& again, const Entry& first) {
    problems_.error(again.place, printable(again.key),
                    "given twice; the first is at " + to_string(first.place));
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

  const std::string& text_;
  const Sources& sources_;
  Problems& problems_;
  const std::shared_ptr<const std::string> file_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool failed_ = false;
  bool seen_document_ = false;
};

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

}  // namespace banyan
