// Gateway: what a transcript speaks to: a server, and the services behind it, made of real
// configuration text. It understands listeners (the first one), services with endpoints, routes
// (the first one answers everything), and offload. Owner: the run. Thread: its loop's. What the
// text leaves out is standard: a listener on 10.0.0.1:80, a service `origin` at 10.0.0.2:80, and a
// route to it.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/server.h"
#include "app/settings.h"
#include "upstream/cluster.h"

namespace banyan::wire {

// Empty when the text is good, else all that is wrong with it.
std::string read_settings(const std::string& text, Settings& out);

// Told of each exchange: a line of the log.
using Log = std::function<void(std::string)>;

class Gateway {
 public:
  Gateway(Context& context, Engine& engine, const Settings& settings, Log log);

  Server& server() { return *server_; }
  const Address& address() const { return server_->local(); }
  Task<> stop();

 private:
  SharedLimit connections_{1000};
  std::unique_ptr<Server> server_;
};

}  // namespace banyan::wire
