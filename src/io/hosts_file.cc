#include "io/hosts_file.h"

#include <algorithm>
#include <fstream>

#include "base/text.h"

namespace banyan {

namespace {

constexpr size_t file_max = 1024 * 1024;

std::string folded(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string out(name);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

// The next word of a line, which loses it; empty at the end.
std::string_view next_word(std::string_view& line) {
  constexpr std::string_view blanks = " \t\r\f\v";
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

HostsFile::HostsFile(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const auto address = parse_ip(next_word(line), 0);
    if (!address) continue;
    for (auto name = next_word(line); !name.empty(); name = next_word(line))
      known_[folded(name)].push_back(*address);
  }
}

HostsFile HostsFile::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(file_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return HostsFile(text);
}

const std::vector<Address>* HostsFile::find(std::string_view name) const {
  const auto found = known_.find(folded(name));
  return found == known_.end() ? nullptr : &found->second;
}

}  // namespace banyan
