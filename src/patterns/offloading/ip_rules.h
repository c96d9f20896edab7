// IpRules and IpFilter: which clients are served, by their address. Owner: the listener's stack.
// Thread: any; the filter its loop's. The most specific network that holds an address decides; with
// none, it is served unless some networks are allowed by name. Behind a trusted peer
// (`forwarded.trust`) the client is who X-Forwarded-For names, read from its end over all that are
// trusted. Cost: one binary search for each prefix length that is used.
#pragma once
#include "base/ip.h"
#include "config/schema.h"
#include "service/service.h"

namespace banyan {

struct IpSettings {
  std::vector<Cidr> allow, deny;
};
void declare(Fields<IpSettings>& f);

class IpRules {
 public:
  explicit IpRules(const IpSettings& settings);
  bool allows(const Ip& ip) const;

 private:
  struct Level {
    uint8_t bits;
    std::vector<std::pair<Ip, bool>> networks;  // sorted; whether it is allowed
  };
  void add(const std::vector<Cidr>& networks, bool allowed);

  std::vector<Level> levels_;  // longest prefix first
  const bool others_;
};

// Who sent the request, as far as those who are trusted say; nullopt: it has no address.
std::optional<Ip> real_client(const Request& request, const std::vector<Cidr>& trust);

class IpFilter final : public Filter {
 public:
  IpFilter(ServicePtr wrapped, IpRules rules, std::vector<Cidr> trust)
      : Filter(std::move(wrapped)), rules_(std::move(rules)), trust_(std::move(trust)) {}
  Task<Reply> call(Request& request) override;

 private:
  const IpRules rules_;
  const std::vector<Cidr> trust_;
};

}  // namespace banyan
