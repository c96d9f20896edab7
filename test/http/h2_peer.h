// H2Peer: an HTTP/2 client as a script, over nghttp2's client session, and raw frames for what a
// session would never send. Owner: the script's frame. Thread: its loop's. Header only.
#pragma once
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/peer.h"
#include "task/combine.h"

namespace banyan::h2 {

using Fields = std::vector<std::pair<std::string, std::string>>;

// A frame as it goes over the wire (RFC 9113, section 4.1).
inline std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string out;
  for (int shift : {16, 8, 0}) out += static_cast<char>(payload.size() >> shift & 0xff);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(stream >> shift & 0xff);
  return out + std::string(payload);
}
// Fields as literals that no table keeps (RFC 7541, section 6.2.2).
inline std::string literals(const Fields& fields) {
  std::string out;
  const auto text = [&](const std::string& s) {
    if (s.size() < 127) {
      out += static_cast<char>(s.size());
    } else {
      out += '\x7f';
      size_t left = s.size() - 127;
      for (; left >= 128; left >>= 7) out += static_cast<char>(0x80 | (left & 0x7f));
      out += static_cast<char>(left);
    }
    out += s;
  };
  for (const auto& [name, value] : fields) {
    out += '\0';
    text(name);
    text(value);
  }
  return out;
}
inline std::string number(uint32_t n) {
  std::string out;
  for (int shift : {24, 16, 8, 0}) out += static_cast<char>(n >> shift & 0xff);
  return out;
}
constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline Fields get(const std::string& path, const Fields& more = {}) {
  Fields out = {{":method", "GET"}, {":scheme", "http"}, {":authority", "shop"}, {":path", path}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}
inline Fields post(const std::string& path, const Fields& more = {}) {
  Fields out = get(path, more);
  out[0].second = "POST";
  return out;
}

struct Answer {
  std::vector<std::string> interim;  // their statuses
  std::string status;
  Fields fields, trailers;
  std::string body;
  bool body_began = false;        // the head is complete
  bool ended = false;             // END_STREAM was seen
  bool closed = false;            // the stream is gone
  std::optional<uint32_t> reset;  // its error, when it was not NO_ERROR

  std::string field(std::string_view name) const {
    for (const auto& [n, value] : fields)
      if (n == name) return value;
    return "-";
  }
};

class H2Peer {
 public:
  // `settings`: ours. `manual`: windows open only by consume().
  explicit H2Peer(Peer peer, std::vector<nghttp2_settings_entry> settings = {}, bool manual = false)
      : peer_(std::move(peer)) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_header_callback(calls, &H2Peer::on_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, &H2Peer::on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, &H2Peer::on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, &H2Peer::on_close);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, manual ? 1 : 0);
    nghttp2_session_client_new2(&session_, calls, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(calls);
    nghttp2_submit_settings(session_, 0, settings.data(), settings.size());
  }
  H2Peer(const H2Peer&) = delete;
  ~H2Peer() { nghttp2_session_del(session_); }

  // A request; `body` is sent as windows allow. `open`: more may follow with more().
  int32_t ask(const Fields& fields, std::optional<std::string> body = {}, Fields trailers = {},
              bool open = false) {
    std::vector<nghttp2_nv> nv = pairs(fields);
    Upload* const upload = &uploads_.emplace_back();
    upload->body = body.value_or("");
    upload->trailers = std::move(trailers);
    upload->open = open;
    nghttp2_data_provider source{};
    source.source.ptr = upload;
    source.read_callback = &H2Peer::give;
    const bool content = body || open;
    const int32_t id = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(),
                                              content ? &source : nullptr, nullptr);
    by_stream_[id] = upload;
    return id;
  }
  void more(int32_t id, std::string_view body, bool last) {
    Upload& upload = *by_stream_.at(id);
    upload.body += body;
    upload.open = !last;
    nghttp2_session_resume_data(session_, id);
  }
  void reset(int32_t id, uint32_t code = NGHTTP2_CANCEL) {
    nghttp2_submit_rst_stream(session_, 0, id, code);
  }
  void consume(int32_t id, size_t bytes) { nghttp2_session_consume(session_, id, bytes); }

  // Reads and writes until `done()`, or the end of the connection: false.
  Task<bool> until(std::function<bool()> done) {
    while (!done()) {
      if (!co_await flush()) co_return false;
      if (done()) break;
      char buffer[16384];
      const auto n = co_await peer_.stream().read(buffer);
      if (!n || *n == 0) {
        ended = true;
        was_reset = !n;
        co_return done();
      }
      if (nghttp2_session_mem_recv(session_, reinterpret_cast<uint8_t*>(buffer), *n) < 0)
        ADD_FAILURE() << "no HTTP/2";
    }
    co_return true;
  }
  // The answer, when its stream is over.
  Task<Answer> answer(int32_t id) {
    (void)co_await until([this, id] { return answers[id].closed; });
    co_return answers[id];
  }
  Task<Answer> fetch(Fields fields, std::optional<std::string> body = {}) {
    co_return co_await answer(ask(fields, std::move(body)));
  }
  Task<bool> flush() {
    const uint8_t* data = nullptr;
    for (;;) {
      const auto n = nghttp2_session_mem_send(session_, &data);
      if (n <= 0) co_return n == 0;
      if (!co_await peer_.send({reinterpret_cast<const char*>(data), static_cast<size_t>(n)}))
        co_return false;
    }
  }
  Peer& peer() { return peer_; }
  nghttp2_session* session() { return session_; }

  std::map<int32_t, Answer> answers;
  std::optional<uint32_t> goaway;
  bool ended = false, was_reset = false;

 private:
  struct Upload {
    std::string body;
    size_t sent = 0;
    Fields trailers;
    bool open = false;
  };
  static std::vector<nghttp2_nv> pairs(const Fields& fields) {
    std::vector<nghttp2_nv> out;
    for (const auto& [name, value] : fields)
      out.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                     value.size(), 0});
    return out;
  }
  static ssize_t give(nghttp2_session* session, int32_t id, uint8_t* to, size_t most,
                      uint32_t* flags, nghttp2_data_source* source, void*) {
    Upload& upload = *static_cast<Upload*>(source->ptr);
    const size_t n = std::min(most, upload.body.size() - upload.sent);
    std::copy_n(upload.body.data() + upload.sent, n, reinterpret_cast<char*>(to));
    upload.sent += n;
    if (upload.sent < upload.body.size()) return static_cast<ssize_t>(n);
    if (upload.open) return n != 0 ? static_cast<ssize_t>(n) : NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!upload.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      auto nv = pairs(upload.trailers);
      nghttp2_submit_trailer(session, id, nv.data(), nv.size());
    }
    return static_cast<ssize_t>(n);
  }
  static H2Peer& self(void* user) { return *static_cast<H2Peer*>(user); }
  static int on_field(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Answer& to = self(user).answers[frame->hd.stream_id];
    const std::string n(reinterpret_cast<const char*>(name), name_size);
    const std::string v(reinterpret_cast<const char*>(value), value_size);
    if (n == ":status" && v[0] == '1')
      to.interim.push_back(v);
    else if (n == ":status")
      to.status = v;
    else if (to.status.empty() || (frame->headers.cat == NGHTTP2_HCAT_HEADERS && to.body_began))
      to.trailers.emplace_back(n, v);
    else
      to.fields.emplace_back(n, v);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Peer& me = self(user);
    if (frame->hd.type == NGHTTP2_GOAWAY) me.goaway = frame->goaway.error_code;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Answer& to = me.answers[frame->hd.stream_id];
    if (!to.status.empty()) to.body_began = true;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) to.ended = true;
    return 0;
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                     void* user) {
    self(user).answers[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t id, uint32_t code, void* user) {
    Answer& to = self(user).answers[id];
    to.closed = true;
    if (code != NGHTTP2_NO_ERROR) to.reset = code;
    return 0;
  }

  Peer peer_;
  nghttp2_session* session_ = nullptr;
  std::list<Upload> uploads_;
  std::map<int32_t, Upload*> by_stream_;
};

}  // namespace banyan::h2
