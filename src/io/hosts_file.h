// HostsFile: the names that this machine knows by itself (/etc/hosts), read once.
// Owner: the resolver. Thread: any (read only).
// Names are compared without case. Bound: the first 1 MiB of the file counts. Source: hosts(5).
#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/address.h"

namespace banyan {

class HostsFile {
 public:
  HostsFile() = default;
  // Lines that cannot be read are passed over, as every resolver does.
  explicit HostsFile(std::string_view text);
  // Empty when the file cannot be read: then the name servers are asked for everything.
  static HostsFile read(const std::string& path);

  // Null: not known here. Port 0.
  const std::vector<Address>* find(std::string_view name) const;

 private:
  std::unordered_map<std::string, std::vector<Address>> known_;
};

}  // namespace banyan
