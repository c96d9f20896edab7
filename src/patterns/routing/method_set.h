// MethodSet: the methods a route is for; empty: all of them. Owner: a compiled route. Thread: any
// (read only). The methods that Banyan knows are one word of bits; any other token is kept by its
// text. Methods are case-sensitive (RFC 9110, section 9.1), so "get" is not GET.
#pragma once
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "http/method.h"

namespace banyan {

class MethodSet {
 public:
  void add(std::string_view method) {
    const Method known = parse_method(method);
    if (known != Method::other)
      known_ |= bit(known);
    else if (!has_other(method))
      others_.emplace_back(method);
  }
  // Of all methods: no condition.
  bool empty() const { return known_ == 0 && others_.empty(); }
  bool allows(Method method, std::string_view text) const {
    if (empty()) return true;
    return method != Method::other ? (known_ & bit(method)) != 0 : has_other(text);
  }
  bool overlaps(const MethodSet& b) const {
    return empty() || b.empty() || (known_ & b.known_) != 0 ||
           std::any_of(others_.begin(), others_.end(),
                       [&](const auto& m) { return b.has_other(m); });
  }
  // Whether every method of `b` is one of these.
  bool covers(const MethodSet& b) const {
    if (empty() || b.empty()) return empty();
    return (b.known_ & ~known_) == 0 && std::all_of(b.others_.begin(), b.others_.end(),
                                                    [&](const auto& m) { return has_other(m); });
  }
  void add_all(const MethodSet& b) {
    known_ |= b.known_;
    for (const std::string& m : b.others_) add(m);
  }
  // "GET, POST": the value of Allow.
  std::string text() const {
    std::string out;
    const auto append = [&](std::string_view m) {
      out += (out.empty() ? "" : ", ") + std::string(m);
    };
    for (unsigned m = 1; m <= static_cast<unsigned>(Method::patch); ++m)
      if ((known_ >> m & 1) != 0) append(banyan::text(static_cast<Method>(m)));
    for (const std::string& m : others_) append(m);
    return out;
  }

 private:
  static constexpr uint16_t bit(Method m) {
    return static_cast<uint16_t>(1u << static_cast<unsigned>(m));
  }
  bool has_other(std::string_view m) const {
    return std::find(others_.begin(), others_.end(), m) != others_.end();
  }

  uint16_t known_ = 0;
  std::vector<std::string> others_;
};

}  // namespace banyan
