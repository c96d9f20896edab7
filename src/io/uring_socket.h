// UringSocket: a Stream over a TCP or Unix socket of the io_uring engine. Owner: the connection.
// Thread: its loop's. The kernel may still hold the socket when the stream is destroyed, so what it
// answers to is a core of its own, which lingers until the last operation has ended.
// Reading: one receive stays armed, into the engine's blocks; what comes is copied to the reader,
// or kept while nobody reads: then the receive is called off, so one stream keeps no more than what
// was on its way (the kernel fills 32 blocks in a go: less than 512 KiB). Bodies are read without
// it, straight into the reader's buffer, and so is what follows one, because another is likely; and
// so is all of a Unix socket, where only bytes that are still the kernel's make a reset of a close.
// Writing: a small write is copied to a block and goes with the turn's system call, a large one is
// sent at once. While the peer takes what it is sent, a small write is done when it is in the
// block, as it otherwise is when it is in the kernel's buffer; one block is under way at a time.
// Closing waits for it, no longer than UringBounds::linger.
#pragma once
#include <vector>

#include "io/uring.h"

namespace banyan {

class UringCore final : public UringTarget {
 public:
  // `directly`: without an armed receive.
  UringCore(UringEngine& engine, int descriptor, Side side, bool directly)
      : engine_(engine), descriptor_(descriptor), side_(side), directly_(directly) {}
  ~UringCore();
  // Instead of deleting it.
  void close();
  void shutdown_write();
  void abort();

  int descriptor() const { return descriptor_; }
  bool quiet();
  bool start(Read& op);
  bool start(Write& op);
  void cancel(Read& op, Code why);
  void cancel(Write& op, Code why);
  void watch(Cancel* scope);

  void on_completion(unsigned tag, int result, unsigned flags) override;
  void settle() override;
  void rest() override;
  void give_up() override { call_off(sending); }

 private:
  enum Tag : unsigned { receiving, sending, until_readable, until_writable, until_gone };
  static constexpr size_t bulk_bytes = 64 * 1024;
  static constexpr int no_buffer = -1;
  static constexpr uint32_t used_often = 16;  // sends: from then on a slot of the ring pays

  bool pending(Tag tag) const { return (pending_ & 1u << tag) != 0; }
  io_uring_sqe& begin(Tag tag);
  void call_off(Tag tag);
  void await_events(Tag tag, unsigned events);
  void receive_more();

  void on_received(int result, unsigned flags);
  void take(unsigned buffer, size_t n);
  void keep(Bytes bytes);
  void move_out();
  Bytes kept() const;
  void drop_kept(size_t n);

  bool ended() const { return end_ || receive_error_ != 0; }
  Result<size_t> end_of_stream();
  bool try_read(Read& op);
  bool wants_directly(const Read& op) const;
  bool reads_directly(const Read& op) const;
  bool read_directly(Read& op);
  bool settle_reader();
  void wait_to_read();

  void on_sent(int result);
  bool write_ended();
  bool begin_write(Write& op);
  bool send_block(Write& op, size_t bytes);
  void submit_block();
  bool send_now(Write& op);
  void settle_watcher();
  std::unexpected<Error> broken(int error);

  UringEngine& engine_;
  const int descriptor_;
  const Side side_;
  bool closing_ = false;
  bool end_ = false;              // the peer's end came
  bool gone_ = false;             // it is known to come, after bytes that were not read yet
  bool reset_ = false;            // an error was seen: the end after it is no orderly one
  bool readable_ = false;         // an event said so, and nobody has read since
  bool directly_;                 // never by an armed receive
  bool bulky_ = false;            // the message before had a body read directly: the next may, too
  bool slow_ = false;             // the peer has let us wait before
  bool told_ = false;             // of the block under way: its writer has gone on
  bool waits_for_block_ = false;  // the writer: for its own
  bool block_is_last_ = false;
  bool fin_ = false;  // nothing more is written after the block under way
  bool aborted_ = false;
  uint8_t pending_ = 0;     // by tag: the kernel has it
  uint8_t called_off_ = 0;  // by tag: and was asked to end it
  int receive_error_ = 0;
  int send_error_ = 0;
  int slot_ = UringEngine::no_slot;
  uint32_t uses_ = 0;
  int held_ = no_buffer;  // a block of the kernel's, with kept_[held_begin_, held_end_)
  uint16_t held_begin_ = 0, held_end_ = 0;
  uint32_t kept_begin_ = 0;
  size_t filled_ = 0;       // bytes the reader has got already
  std::vector<char> kept_;  // read and not taken
  char* block_ = nullptr;   // of the write under way, with [block_begin_, block_end_) to send
  uint16_t block_begin_ = 0, block_end_ = 0;
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
  Cancel* watcher_ = nullptr;
};

class UringSocket final : public Stream, public Pooled {
 public:
  using Pooled::operator new;
  using Pooled::operator delete;
  UringSocket(UringEngine& engine, int descriptor, Side side, Address peer);
  ~UringSocket() override { core_->close(); }

  void shutdown_write() override;
  void shutdown_read() override;
  void abort() override;
  const Address& peer() const override { return peer_; }
  bool quiet() override { return core_->quiet(); }
  int descriptor() const override { return core_->descriptor(); }

 private:
  bool start(Read& op) override { return core_->start(op); }
  bool start(Write& op) override { return core_->start(op); }
  void cancel(Read& op, Code why) override { core_->cancel(op, why); }
  void cancel(Write& op, Code why) override { core_->cancel(op, why); }
  void watch(Cancel* scope) override { core_->watch(scope); }

  UringCore* const core_;
  Address peer_;
};

}  // namespace banyan
