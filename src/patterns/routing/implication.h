// What conditions say of each other: the same, one follows from the other, never both, never at
// all. Owner: none, these are functions. Thread: any, at load. All answers are sound: "true" is
// certain, "false" may only mean that it could not be seen.
#pragma once
#include "patterns/routing/condition.h"

namespace banyan {

// One text for conditions that mean the same, whatever their order.
std::string canonical(const std::vector<Condition>& conditions);

// Whether every request for which all of `a` hold satisfies `b`.
bool imply(const std::vector<Condition>& a, const Condition& b);
bool imply_all(const std::vector<Condition>& a, const std::vector<Condition>& b);

// Why no request can satisfy all of them; empty: none was seen.
std::string contradiction(const std::vector<Condition>& conditions);

// Whether a person would read the two lists as alternatives: other values of the same name, or a
// regular expression on it. Only for warnings about ties, where a header that comes twice and could
// satisfy both does not count.
bool look_exclusive(const std::vector<Condition>& a, const std::vector<Condition>& b);

}  // namespace banyan
