// H2Origin: an HTTP/2 server as a script, over nghttp2's server session: each request is given to a
// function, which says what becomes of it. Owner: the script's frame. Thread: its loop's. Header
// only.
#pragma once
#include <nghttp2/nghttp2.h>

#include <functional>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "http/h2_peer.h"

namespace banyan::h2 {

struct Asked {
  int32_t id = 0;
  Fields fields, trailers;
  std::string body;
  bool ended = false;
  std::optional<uint32_t> reset;

  std::string field(std::string_view name) const {
    for (const auto& [n, value] : fields)
      if (n == name) return value;
    return "-";
  }
};

class H2Origin {
 public:
  // `on_head` hears of a request when its head is there, `on_end` when its content is, too.
  using Hear = std::function<void(H2Origin&, Asked&)>;
  H2Origin(Peer& peer, Hear on_head, Hear on_end, std::vector<nghttp2_settings_entry> settings = {})
      : peer_(peer), on_head_(std::move(on_head)), on_end_(std::move(on_end)) {
    nghttp2_session_callbacks* calls = nullptr;
    nghttp2_session_callbacks_new(&calls);
    nghttp2_session_callbacks_set_on_header_callback(calls, &H2Origin::on_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, &H2Origin::on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, &H2Origin::on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, &H2Origin::on_close);
    nghttp2_session_server_new(&session_, calls, this);
    nghttp2_session_callbacks_del(calls);
    nghttp2_submit_settings(session_, 0, settings.data(), settings.size());
  }
  H2Origin(const H2Origin&) = delete;
  ~H2Origin() { nghttp2_session_del(session_); }

  // To the end of the connection.
  Task<> serve() {
    char buffer[16384];
    while (co_await flush()) {
      const auto n = co_await peer_.stream().read(buffer);
      if (!n || *n == 0) break;
      if (nghttp2_session_mem_recv(session_, reinterpret_cast<uint8_t*>(buffer), *n) < 0) break;
      if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0)
        break;
    }
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
  void head(int32_t id, const std::string& status, const Fields& more = {}) {
    auto nv = pairs(status, more);
    nghttp2_submit_headers(session_, 0, id, nullptr, nv.data(), nv.size(), nullptr);
  }
  // `open`: more follows with more().
  void answer(int32_t id, const std::string& status, const Fields& more,
              std::optional<std::string> body = {}, Fields trailers = {}, bool open = false) {
    auto nv = pairs(status, more);
    Content* const content = &contents_[id];
    *content = {.body = body.value_or(""), .trailers = std::move(trailers), .open = open};
    nghttp2_data_provider source{};
    source.source.ptr = content;
    source.read_callback = &H2Origin::give;
    nghttp2_submit_response(session_, id, nv.data(), nv.size(), body ? &source : nullptr);
  }
  void more(int32_t id, std::string_view body, bool last) {
    contents_[id].body += body;
    contents_[id].open = !last;
    nghttp2_session_resume_data(session_, id);
  }
  void reset(int32_t id, uint32_t code) { nghttp2_submit_rst_stream(session_, 0, id, code); }
  void goaway(int32_t last) {
    nghttp2_submit_goaway(session_, 0, last, NGHTTP2_NO_ERROR, nullptr, 0);
  }

  std::map<int32_t, Asked> asked;

 private:
  struct Content {
    std::string body;
    size_t sent = 0;
    Fields trailers;
    bool open = false;
  };
  static std::vector<nghttp2_nv> pairs(const std::string& status, const Fields& fields) {
    std::vector<nghttp2_nv> out;
    const auto add = [&](const std::string& name, const std::string& value) {
      out.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                     value.size(), 0});
    };
    static const std::string status_name = ":status";
    if (!status.empty()) add(status_name, status);
    for (const auto& [name, value] : fields) add(name, value);
    return out;
  }
  static ssize_t give(nghttp2_session* session, int32_t id, uint8_t* to, size_t most,
                      uint32_t* flags, nghttp2_data_source* source, void*) {
    Content& content = *static_cast<Content*>(source->ptr);
    const size_t n = std::min(most, content.body.size() - content.sent);
    std::copy_n(content.body.data() + content.sent, n, reinterpret_cast<char*>(to));
    content.sent += n;
    if (content.sent < content.body.size()) return static_cast<ssize_t>(n);
    if (content.open) return n != 0 ? static_cast<ssize_t>(n) : NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!content.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      auto nv = pairs("", content.trailers);
      nghttp2_submit_trailer(session, id, nv.data(), nv.size());
    }
    return static_cast<ssize_t>(n);
  }
  static H2Origin& self(void* user) { return *static_cast<H2Origin*>(user); }
  static int on_field(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Asked& to = self(user).asked[frame->hd.stream_id];
    auto& fields = frame->headers.cat == NGHTTP2_HCAT_REQUEST ? to.fields : to.trailers;
    fields.emplace_back(std::string(reinterpret_cast<const char*>(name), name_size),
                        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Origin& me = self(user);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Asked& to = me.asked[frame->hd.stream_id];
    to.id = frame->hd.stream_id;
    const bool first =
        frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    if (first && me.on_head_) me.on_head_(me, to);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    to.ended = true;
    if (me.on_end_) me.on_end_(me, to);
    return 0;
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                     void* user) {
    self(user).asked[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t id, uint32_t code, void* user) {
    if (code != NGHTTP2_NO_ERROR) self(user).asked[id].reset = code;
    return 0;
  }

  Peer& peer_;
  const Hear on_head_, on_end_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Content> contents_;
};

}  // namespace banyan::h2
