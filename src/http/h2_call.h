// H2Call: one exchange on a connection to an endpoint: the counterpart of what H1Client does for
// one. Shared by the answer's body (or tunnel) and the task that sends the request's content; the
// last of them ends it, and resets the stream if it is not at its end. Owner: its references.
// Thread: its loop's. Lifetime: the client outlives it; the request outlives the answer's body.
#pragma once
#include "http/h2_channel.h"
#include "http/h2_client.h"

namespace banyan {

class H2Call final : public H2Channel, public Pooled {
 public:
  class Ref {
   public:
    explicit Ref(H2Call* call) : call_(call) { ++call_->references_; }
    Ref(const Ref& other) : Ref(other.call_) {}
    Ref(Ref&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
    Ref& operator=(const Ref&) = delete;
    ~Ref() {
      if (call_ != nullptr && --call_->references_ == 0) delete call_;
    }
    H2Call* operator->() const { return call_; }
    H2Call& operator*() const { return *call_; }

   private:
    H2Call* call_;
  };

  H2Call(H2Client& client, std::unique_ptr<H2Client::Held> held, Request& request);
  ~H2Call() override;
  Task<Reply> run(Ref self, std::string_view target, const Headers& headers, bool& silent);
  void connection_over(const Error& why);

 private:
  class Content;
  class Switched;
  struct Interim {
    uint16_t status;
    Headers* headers;
  };

  bool on_field(std::string_view name, std::string_view value, bool trailers) override;
  bool on_head() override;
  void on_closed() override { news_.set(); }

  Result<> send_head(std::string_view target, const Headers& headers);
  void start_pump(Ref self);
  Task<> pump(Ref self);
  Task<Result<>> send_content();
  Task<Result<>> read_answer(Ref self);
  Task<Result<>> wait_for_news();
  Task<Result<>> pass_interim(Ref self);
  Result<Response> make_answer(Ref self);
  Result<Response> make_tunnel(Ref self, Response rsp);
  bool content_follows() const;

  static constexpr size_t interim_max = 16;

  H2Client& client_;
  const std::unique_ptr<H2Client::Held> held_;
  Request& request_;
  Headers* headers_;  // of the head that comes, or came
  Headers trailers_;
  size_t head_bytes_ = 0;
  uint16_t status_ = 0;
  bool answered_ = false;  // its final head is complete
  bool upgraded_ = false;  // the request asks for another protocol (extended CONNECT)
  bool pump_started_ = false;
  bool connection_over_ = false;
  bool continued_ = false;
  size_t interim_count_ = 0, interim_passed_ = 0;
  Interim interim_[interim_max];
  std::optional<uint64_t> length_;
  std::optional<Error> request_error_;
  Cancel* waiting_ = nullptr;
  Event news_;
  int references_ = 0;
};

}  // namespace banyan
