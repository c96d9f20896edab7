// H2Exchange: one request and its answer on an HTTP/2 connection of a client: the counterpart of
// H1Exchange, whose steps it follows. It owns the arena and everything that ends with the exchange.
// Owner: the H2Connection until its head is complete, then the task that runs it. Thread: its
// loop's. Source: RFC 9113, section 8; RFC 8441 (WebSocket).
#pragma once
#include "http/h2_channel.h"
#include "http/h2_connection.h"

namespace banyan {

class H2Exchange final : public H2Channel, private Interim, public Pooled {
 public:
  H2Exchange(H2Connection& connection, int32_t stream_id);
  ~H2Exchange() override;
  Task<> run();
  Time began() const { return record_.started; }
  // The connection has ended, and with it the client.
  void client_left(const Error& why);
  void too_late();

 private:
  class Content;
  struct Trigger;

  bool on_field(std::string_view name, std::string_view value, bool trailers) override;
  bool on_head() override;
  void on_input_end() override;
  void on_closed() override;
  void take_pseudo(std::string_view name, std::string_view value);

  Result<> understand();
  Result<> check_authority();
  Result<Target> target();
  Result<> check_content();
  void open_websocket();
  Task<> serve_request();
  Task<Result<>> answer();
  Task<> serve_tunnel();
  Task<> refuse(const Error& error);
  Task<Result<>> send(Response& rsp);
  Result<> send_head(const Response& rsp, bool more_follows);
  bool request_is_head() const;
  Task<Result<>> send_content(Body& body);
  Task<Result<>> send(uint16_t status, const Headers& headers) override;
  Result<> send_interim(uint16_t status, const Headers& headers);
  uint16_t told_status(const Response& rsp) const;
  Error cause_of(const Error& error) const;
  void finish();

  H2Connection& connection_;
  const std::shared_ptr<Handler> handler_;
  const H1Limits& limits_;
  Arena arena_;
  Record record_;
  Headers headers_{arena_}, trailers_{arena_};
  std::string_view method_, path_, authority_, protocol_;
  size_t head_bytes_ = 0;
  bool https_ = false;
  bool too_large_ = false;
  bool head_sent_ = false;
  bool owes_continue_ = false;
  std::optional<uint64_t> length_;
  std::unique_ptr<Body> body_;
  std::optional<Request> request_;
  std::unique_ptr<Tunnel> tunnel_;
  std::string_view websocket_key_;  // empty: it is none
  Cancel* scope_ = nullptr;
  bool left_ = false;
};

}  // namespace banyan
