// H2Tunnel: one stream of an HTTP/2 connection as a Stream: what an exchange becomes after CONNECT
// or a WebSocket's beginning (RFC 9113, section 8.5; RFC 8441). Owner: the exchange, whose channel
// it takes over for that time. Thread: its loop's. Bounds: the channel's windows.
#pragma once
#include "http/h2_channel.h"

namespace banyan {

class H2Tunnel final : public Stream, private H2Channel::Ends {
 public:
  explicit H2Tunnel(H2Channel& channel);
  ~H2Tunnel() override;

  void shutdown_write() override;
  void shutdown_read() override;
  void abort() override;
  const Address& peer() const override { return channel_.link().stream().peer(); }
  bool quiet() override;

 private:
  bool start(Read& op) override;
  bool start(Write& op) override;
  void cancel(Read& op, Code why) override;
  void cancel(Write& op, Code why) override;
  void watch(Cancel* scope) override;
  void input_came() override;
  void output_taken() override;
  bool progress(Read& op);
  bool progress(Write& op);

  H2Channel& channel_;
  Bytes left_;  // of what was taken from the channel
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
  size_t offered_ = 0;  // bytes of the writer that the channel has
  Cancel* watcher_ = nullptr;
  bool read_shut_ = false;
  bool ended_ = false;  // nothing more is to be written
};

}  // namespace banyan
