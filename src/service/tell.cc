#include "service/tell.h"

#include <string>

namespace banyan {

namespace {

constexpr Name told_names[] = {Name::banyan_attempts, Name::banyan_served_by, Name::banyan_reason};

// Why it was not sent again says more than why it failed.
std::string_view reason_of(const Record& record) {
  if (!record.decision.empty()) return record.decision;
  return record.error ? record.error->what : std::string_view();
}

}  // namespace

void tell(const Record& record, Headers& answer) {
  for (const Name name : told_names) answer.remove(name);
  const Record::Tells& tells = record.tells;
  if (tells.attempts)
    answer.add(Name::banyan_attempts, answer.arena().copy(std::to_string(record.attempts)));
  if (tells.served_by && !record.endpoint.empty())
    answer.add(Name::banyan_served_by, record.endpoint);
  const std::string_view reason = reason_of(record);
  if (tells.reason && !reason.empty()) answer.add(Name::banyan_reason, reason);
}

}  // namespace banyan
