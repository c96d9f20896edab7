// H2Channel: one stream of an HTTP/2 connection: content in and out under flow control, the same
// for both roles. Owner: the exchange of the role, which derives from it. Thread: its loop's.
// Lifetime: the link outlives it. Bounds: what has come and was not taken is at most the stream's
// window (H2Limits::window), because the window opens only as content is taken; of what goes out
// only the piece at hand is held, by who gave it. Source: RFC 9113, sections 5 and 8.1.
#pragma once
#include "http/body.h"
#include "http/h2_link.h"

namespace banyan {

class H2Channel : public Hook {
 public:
  explicit H2Channel(H2Link& link) : link_(link) {}
  virtual ~H2Channel();

  int32_t id() const { return id_; }
  H2Link& link() const { return link_; }

  // In. A view is valid until the next of these calls.
  Bytes ready();
  Task<Result<Bytes>> read(Duration gap_max, uint32_t rate_min = 0);
  // Everything has come and was given out.
  bool input_done() const { return input_ended_ && in_.empty(); }
  bool input_ended() const { return input_ended_; }
  // Why the stream ended before its time. What had come by then as a whole is still given out.
  const std::optional<Error>& broken() const { return broken_; }

  // Out: `piece` is with the link when this ends; `last`: END_STREAM with it, or with the trailers.
  Task<Result<>> write(Bytes piece, bool last, const Headers* trailers = nullptr);
  // Waits until what was offered is with the link.
  Task<Result<>> settle();
  bool output_done() const { return output_done_; }
  // Ends the stream before its time, both ways.
  void abort() { reset(NGHTTP2_CANCEL); }

  // A tunnel's way to do the same without coroutines (http/h2_tunnel).
  class Ends {
   public:
    virtual void input_came() = 0;
    virtual void output_taken() = 0;

   protected:
    ~Ends() = default;
  };
  void set_ends(Ends* ends) { ends_ = ends; }
  void offer(Bytes piece, bool last, const Headers* trailers = nullptr);
  Bytes offered() const { return piece_; }
  // What of it is not with the link yet never will be: the stream can only be reset then.
  void withdraw();

 protected:
  // What a role does with it. No coroutine is resumed within. `trailers`: behind the content.
  // False: the message is malformed, and its stream is reset.
  virtual bool on_field(std::string_view name, std::string_view value, bool trailers) = 0;
  // The head is complete.
  virtual bool on_head() = 0;
  // The content is, and the trailers.
  virtual void on_input_end() {}
  // The stream is gone; broken() says why, if it did not come to its end both ways.
  virtual void on_closed() = 0;

  // The peer's stream of this number is this from now on.
  void attach(int32_t id);
  bool open() const { return open_; }
  // Nothing of this channel is called any more; what came and was not taken is forgotten.
  void detach();
  // Ends the stream before its time.
  void reset(uint32_t error_code);
  void break_off(const Error& why);
  // What was submitted without a content ends the stream by itself.
  void note_output_done() { output_done_ = true; }
  // The head was an interim one: another follows.
  void await_head() { head_done_ = false; }
  // A stream of ours, which nghttp2 has been given with this as its user data.
  void opened(int32_t id);
  nghttp2_data_provider source();

 private:
  friend struct H2Events;
  void received(Bytes piece);
  void ended_input();
  bool fields_ended();
  void closed(uint32_t error_code);
  void give_back();
  ssize_t give(size_t most, uint32_t& flags);
  void framed(size_t bytes);
  void output_framed();
  Task<Result<>> arrival();
  Task<Result<>> taking();

  H2Link& link_;
  int32_t id_ = 0;
  bool open_ = false;  // nghttp2 knows of us
  bool head_done_ = false;
  bool input_ended_ = false;
  bool last_ = false;
  bool waiting_ = false;  // nghttp2 is to be told when there is more to send
  bool output_done_ = false;
  Buffer in_, given_;
  size_t owed_ = 0;  // of given_: the peer's window does not know yet
  uint64_t taken_bytes_ = 0;
  Duration waited_{};
  Bytes piece_;
  const Headers* trailers_ = nullptr;
  std::optional<Error> broken_;
  Event arrived_, taken_;
  Ends* ends_ = nullptr;
};

}  // namespace banyan
