// Shop: the services that `banyan demo` puts behind its gateway, on loopback ports, on a thread of
// their own. They are a stand-in for the services of a user's team: plain HTTP, they know nothing
// of the gateway. Each can be broken while it runs (app/demo/control.h). Owner: whoever starts it;
// the destructor calls what is under way off and joins the thread. Thread: any, one at a time; the
// services run on the shop's own. Bounds: `connections_max` clients over all services, 64 KiB a
// request's content.
#pragma once
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "io/address.h"

namespace banyan {

class Shop {
 public:
  static constexpr uint64_t connections_max = 4096;
  // 0: any that is free.
  struct Ports {
    uint16_t catalog = 9001;
    uint16_t catalog_second = 9002;
    uint16_t reviews = 9003;
    uint16_t sellers = 9004;
    uint16_t stock = 9005;
    uint16_t catalog_v3 = 9007;
    uint16_t monolith = 9010;
    uint16_t control = 9000;
  };
  static constexpr Ports any_ports = {0, 0, 0, 0, 0, 0, 0, 0};
  struct Place {
    std::string name;  // "catalog-2"
    Address address;   // the real one
  };

  // Clients are served when it returns. The error is for people: which port, why, what to do.
  static std::expected<std::unique_ptr<Shop>, std::string> start(const Ports& ports);
  ~Shop();
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  const std::vector<Place>& addresses() const;
  // Where the faults are switched.
  const Address& control() const;

 private:
  struct Program;
  class Thread;
  explicit Shop(std::unique_ptr<Thread> thread);
  const std::unique_ptr<Thread> thread_;
};

}  // namespace banyan
