#include "config/value.h"

#include <fstream>
#include <sstream>

namespace banyan {

namespace {

constexpr size_t secret_bytes_max = 64 * 1024;
constexpr size_t file_bytes_max = 1024 * 1024;

std::optional<std::string> read_file(const std::string& path, size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string text(most + 1, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(text.size())) && !in.eof())
    return std::nullopt;
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > most) return std::nullopt;
  return text;
}

std::optional<std::string> read_secret_file(const std::string& path) {
  auto text = read_file(path, secret_bytes_max);
  // Editors and `echo` end a file with a line break that is no part of the secret.
  while (text && (text->ends_with('\n') || text->ends_with('\r'))) text->pop_back();
  return text;
}

}  // namespace

std::string Reading::path() const {
  if (up_ == nullptr) return {};
  std::string out = up_->path();
  if (key_.data() == nullptr) return out + "[" + std::to_string(index_) + "]";
  if (!out.empty()) out += '.';
  return out + printable(key_);
}

bool Reading::error(const Place& at, std::string message) const {
  problems_.error(at, path(), std::move(message));
  return false;
}

std::optional<std::string_view> scalar_text(const Node& node, std::string_view wanted,
                                            const Reading& at) {
  if (node.kind == Node::Kind::scalar) return node.text;
  const char* found = node.kind == Node::Kind::null   ? "nothing"
                      : node.kind == Node::Kind::list ? "a list"
                                                      : "a map";
  at.error(node.place, "wants " + std::string(wanted) + ", not " + found);
  return std::nullopt;
}

bool Value<bool>::read(const Node& node, bool& out, const Reading& at) {
  const auto text = scalar_text(node, "true or false", at);
  if (!text) return false;
  if (*text != "true" && *text != "false")
    return at.error(node.place, "'" + printable(*text) + "' is neither true nor false");
  out = *text == "true";
  return true;
}

bool Value<Secret>::read(const Node& node, Secret& out, const Reading& at) {
  node.secret = true;
  if (node.kind != Node::Kind::map) return Value<std::string>::read(node, out.text, at);
  const Node* file = node.find("file");
  if (file == nullptr || node.entries.size() != 1)
    return at.error(node.place, "wants a text, or { file: path }");
  std::string path;
  if (!Value<std::string>::read(*file, path, Reading(at, "file"))) return false;
  auto text = read_secret_file(path);
  if (!text || text->empty())
    return at.error(file->place, "cannot read a secret from " + printable(path) +
                                     "; it must be a file of 1 byte to 64 KiB that may be read");
  out.text = std::move(*text);
  return true;
}

bool Value<FileText>::read(const Node& node, FileText& out, const Reading& at) {
  if (!Value<std::string>::read(node, out.path, at)) return false;
  auto text = read_file(out.path, file_bytes_max);
  if (!text || text->empty())
    return at.error(node.place, "cannot read " + printable(out.path) +
                                    "; it must be a file of 1 byte to 1 MiB that may be read");
  out.text = std::move(*text);
  return true;
}

TypeNote Value<Secret>::note() {
  return {TypeNote::Kind::any_of,
          "secret",
          {},
          {},
          {{TypeNote::Kind::text, "text"},
           {.kind = TypeNote::Kind::map,
            .name = "{ file: path }",
            .inner = {{TypeNote::Kind::text, "path"}}}}};
}

}  // namespace banyan
