// Problems: everything that is wrong with a configuration, collected so that all of it is told at
// once. Owner: whoever loads. Thread: one. A problem names its place (file:line:column), the path
// of the setting, what is wrong, and what to do. Warnings do not stop a configuration from being
// used.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace banyan {

// Where in a file; the file's name is shared by all places in it.
struct Place {
  std::shared_ptr<const std::string> file;
  uint32_t line = 0;    // from 1; 0: the file as a whole
  uint32_t column = 0;  // from 1
};
std::string to_string(const Place& place);  // "banyan.yaml:12:5"

struct Problem {
  enum class Severity : uint8_t { error, warning };
  Place place;
  std::string path;  // "routes[2].match.path"; empty: none
  std::string message;
  Severity severity = Severity::error;
};

class Problems {
 public:
  void error(Place place, std::string path, std::string message);
  void warning(Place place, std::string path, std::string message);
  bool failed() const { return errors_ != 0; }
  size_t errors() const { return errors_; }
  // In the order of the files and lines.
  std::vector<Problem> sorted() const;
  // One a line: "file:line:column: path: message".
  std::string text() const;
  // [{"file":..,"line":..,"column":..,"path":..,"message":..,"severity":"error"}], for programs.
  std::string json() const;

 private:
  std::vector<Problem> all_;
  size_t errors_ = 0;
};

// The word of `known` nearest to `word`, as "; did you mean 'x'?", or empty when none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace banyan
