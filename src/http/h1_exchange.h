// H1Exchange: one request and its answer on a server connection. It lives on the frame that awaits
// it, owns the arena and everything that ends with the exchange, and decides the fate of the
// connection. Owner: H1Connection::serve_one. Thread: its loop's. Lifetime: stream, buffer and
// source outlive it. The steps are numbered in run(); docs/life-of-a-request.md tells the same
// story. Source: RFC 9112, sections 2 to 9; RFC 9110, sections 10.1.1 and 15.2.
#pragma once
#include "http/client_watch.h"
#include "http/h1_connection.h"
#include "task/sync.h"

namespace banyan {

class H1Exchange final : private Interim {
 public:
  using Fate = H1Connection::Fate;
  H1Exchange(Loop& loop, Stream& stream, Buffer& buffer, HandlerSource& source, uint32_t requests);
  Task<Fate> run();

 private:
  class RequestBody;

  Task<Result<>> read_head();
  Task<Result<>> read_more(Time deadline);
  Result<> understand();
  void received();
  Task<Result<>> answer();
  Task<> serve_request();
  Task<> serve_tunnel();
  Task<> refuse(Error error);
  Task<Result<>> send(Response& rsp);
  Task<Result<>> send_content(Body& body, const Framing& framing, Bytes head);
  Task<Result<>> send(uint16_t status, const Headers& headers) override;
  // `complete`: nothing of the answer follows.
  Task<Result<>> write(std::span<const Bytes> pieces, bool complete);
  Task<Result<>> write_interim(Bytes head);
  std::string_view switched_protocol(const Response& rsp) const;
  Framing answer_framing(const Response& rsp) const;
  Result<> check_expectation();
  Error cause_of(const Error& error) const;
  void cut_off(const Error& why, bool length_known);
  Fate fate();

  Loop& loop_;
  Stream& stream_;
  Buffer& buffer_;
  HandlerSource& source_;
  const std::shared_ptr<Handler> handler_;
  const H1Limits& limits_;
  const uint32_t requests_;
  Arena arena_;
  Record record_;
  RequestHead head_;
  std::optional<H1BodyReader> reader_;
  std::unique_ptr<Body> body_;
  std::optional<Request> request_;
  static constexpr size_t interim_waiting_max = 16;
  bool found_http2_ = false;
  bool keep_ = true;        // the connection may carry another exchange
  bool head_sent_ = false;  // of the final answer: after this a fault can only break it off
  bool cut_off_ = false;    // there is no whole answer that a careful close could save
  bool owes_continue_ = false;
  // The 100 goes out when the content is read, other interim answers and the final one when the
  // service has them: one at a time.
  Semaphore interim_turn_{1, interim_waiting_max};
  std::unique_ptr<Tunnel> tunnel_;
  ClientWatch client_;
};

}  // namespace banyan
