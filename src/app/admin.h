// Admin: what Banyan answers about itself, on the process's own thread, apart from the workers.
// Owner: the process. Thread: the process's loop.
// What changes state (POST /reload) wants the token when there is one, and is refused to pages of
// other origins: a browser on this machine must not be made to reload by a web page. Whatever shows
// the configuration wants the token too.
#pragma once
#include "app/reloader.h"
#include "app/service_status.h"
#include "http/handler.h"
#include "service/service.h"

namespace banyan {

// What the admin pages need from the process.
class Administered {
 public:
  virtual bool ready() const = 0;
  virtual Task<std::string> metrics() = 0;
  virtual Task<std::vector<ServiceStatus>> services() = 0;
  virtual std::string bulkheads() = 0;
  virtual Reloader& reloader() = 0;

 protected:
  ~Administered() = default;
};

class Admin final : public Handler {
 public:
  explicit Admin(Administered& process) : process_(process) {}

  // A table of the pages, for the manual.
  static std::string pages_markdown();

  const H1Limits& limits() const override { return limits_; }
  Task<Reply> call(Request& request) override;
  Response fault(Arena& arena, const Request* request, const Error& error) override;
  void finished(const Request*, const Address&, const Record&) override {}

 private:
  struct Page;
  static const Page pages[];

  bool allowed(const Request& request) const;
  Task<Reply> index(Request& request);
  Task<Reply> healthz(Request& request);
  Task<Reply> readyz(Request& request);
  Task<Reply> metrics(Request& request);
  Task<Reply> config(Request& request);
  Task<Reply> stack(Request& request);
  Task<Reply> services(Request& request);
  Task<Reply> bulkheads(Request& request);
  Task<Reply> explain(Request& request);
  Task<Reply> reload(Request& request);

  Administered& process_;
  const H1Limits limits_;
};

}  // namespace banyan
