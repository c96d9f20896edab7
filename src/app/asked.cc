#include "app/asked.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

namespace banyan {

namespace {

namespace fs = std::filesystem;

size_t hash_of(const std::optional<std::string>& text) {
  return text ? std::hash<std::string>{}(*text) | 1 : 0;
}

size_t hash_of(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += name + '\0';
  return std::hash<std::string>{}(all);
}

// Walks one path down to where it ends, through links and over patterns.
class Walk {
 public:
  Walk(std::set<std::string>& out, bool pattern) : out_(out), pattern_(pattern) {}

  void from(const fs::path& start, const fs::path& rest, int links_left) {
    fs::path at = start;
    for (auto part = rest.begin(); part != rest.end(); ++part) {
      const fs::path after = tail(std::next(part), rest.end());
      if (pattern_ && part->native().find_first_of("*?[") != std::string::npos)
        return each_match(at, *part, after, links_left);
      std::error_code none;
      const fs::path next = at / *part;
      if (fs::is_symlink(next, none)) {
        note(at);
        if (links_left > 0) follow(at, fs::read_symlink(next, none) / after, links_left - 1);
        return;
      }
      if (!fs::is_directory(next, none)) return note(at);
      at = next;
    }
    note(at);
  }

 private:
  static fs::path tail(fs::path::iterator begin, fs::path::iterator end) {
    fs::path out;
    for (; begin != end; ++begin) out /= *begin;
    return out;
  }
  void follow(const fs::path& at, const fs::path& to, int links_left) {
    if (to.is_absolute())
      from("/", to.relative_path(), links_left);
    else
      from(at, to, links_left);
  }
  void each_match(const fs::path& folder, const fs::path& part, const fs::path& rest,
                  int links_left) {
    note(folder);
    std::error_code none;
    for (fs::directory_iterator entry(folder, none), end; entry != end && !none;
         entry.increment(none)) {
      const fs::path name = entry->path().filename();
      if (::fnmatch(part.c_str(), name.c_str(), FNM_PERIOD) == 0)
        from(folder, name / rest, links_left);
    }
  }
  void note(const fs::path& folder) {
    if (out_.size() < folders_max) out_.insert(folder.lexically_normal().string());
  }

  std::set<std::string>& out_;
  const bool pattern_;
};

}  // namespace

Sources remembering(const Sources& sources, std::vector<Asked>& asked) {
  return {.environment = sources.environment,
          .file =
              [&](const std::string& path) {
                auto text = sources.file(path);
                asked.push_back({path, false, hash_of(text)});
                return text;
              },
          .glob =
              [&](const std::string& pattern) {
                auto names = sources.glob(pattern);
                asked.push_back({pattern, true, hash_of(names)});
                return names;
              }};
}

bool changed(std::span<const Asked> asked, const Sources& sources) {
  return std::any_of(asked.begin(), asked.end(), [&](const Asked& a) {
    return a.answer != (a.pattern ? hash_of(sources.glob(a.what)) : hash_of(sources.file(a.what)));
  });
}

std::set<std::string> folders_of(std::span<const Asked> asked) {
  constexpr int links_max = 40;  // the kernel's own bound
  std::set<std::string> out;
  for (const Asked& a : asked) {
    const fs::path path(a.what);
    Walk(out, a.pattern).from(path.is_absolute() ? "/" : ".", path.relative_path(), links_max);
  }
  return out;
}

}  // namespace banyan
