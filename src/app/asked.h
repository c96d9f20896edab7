// Asked: what a configuration was read from (files, and the patterns of includes), and what they
// said, so that it can be told whether another reading would find the same.
// Owner: Loaded. Thread: any.
#pragma once
#include <set>
#include <span>
#include <string>
#include <vector>

#include "config/yaml.h"

namespace banyan {

struct Asked {
  std::string what;  // a path, or a shell pattern
  bool pattern = false;
  size_t answer = 0;  // a hash; of a file that cannot be read: 0
};

// The same sources; what is asked of them is added to `asked`. Both outlive the result.
Sources remembering(const Sources& sources, std::vector<Asked>& asked);

bool changed(std::span<const Asked> asked, const Sources& sources);

// Where a change of any of them would be seen: the folder of each file, of each link on the way to
// it, and of what is not there yet. At most `folders_max`.
std::set<std::string> folders_of(std::span<const Asked> asked);
constexpr size_t folders_max = 4096;

}  // namespace banyan
