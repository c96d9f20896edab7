// manual: the reference of Banyan as Markdown: command line, signals, every setting. What `banyan
// manual` prints; docs/manual.md is the same, and a test holds them equal.
// Owner: none. Thread: any.
#pragma once
#include <string>

namespace banyan {

std::string manual();

}  // namespace banyan
