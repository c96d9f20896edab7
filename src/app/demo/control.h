// Control: the fault switch of the demo, as a page and by curl.
//   GET /                   a page with a button for each fault of each copy of a service
//   GET /faults {"catalog-1":{"fault":"none"},"reviews-1":{"fault":"slow","ms":800},...} GET
//   /faults/reviews-1   {"fault":"none"} POST /faults/reviews-1  a form: fault=slow&ms=800 (none,
//   slow, hang, error, down)
// Owner: the shop. Thread: the shop's. Bounds: a form of 1 KiB. It is meant for whoever sits at
// this machine: another site's page must not press the buttons, so Host has to be this machine's,
// and Origin, where a browser sends one, the same.
#pragma once
#include <expected>
#include <vector>

#include "app/demo/fault.h"
#include "service/service.h"

namespace banyan::demo {

// The copies that can be broken. Thread: the shop's.
class Programs {
 public:
  struct State {
    std::string_view name;
    Fault fault;
  };
  virtual std::vector<State> states() const = 0;
  // `name` is one of those. The error is for people.
  virtual Task<std::expected<void, std::string>> set(std::string_view name, Fault fault) = 0;

 protected:
  ~Programs() = default;
};

class Control final : public Service {
 public:
  explicit Control(Programs& programs) : programs_(programs) {}
  Task<Reply> call(Request& request) override;

 private:
  Response list(Request& request) const;
  Response page(Request& request) const;
  Task<Reply> change(Request& request, std::string_view name);
  std::optional<Fault> find(std::string_view name) const;

  Programs& programs_;
};

}  // namespace banyan::demo
