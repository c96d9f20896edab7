#include "http/h2_callbacks.h"

#include "http/h2_channel.h"

namespace banyan {

namespace {

// A peer that opens our window by less, and more often than we send it a piece of content, sends
// frames for their own sake.
constexpr uint32_t tiny_window_bytes = 256;
constexpr double tiny_window_points = 0.25;

std::string_view view(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

struct H2Events {
  static H2Link& link(void* user) { return *static_cast<H2Link*>(user); }
  static H2Channel* channel(nghttp2_session* session, int32_t id) {
    return static_cast<H2Channel*>(nghttp2_session_get_stream_user_data(session, id));
  }

  // Frames that cost us work and the peer nothing.
  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    H2Link& self = link(user);
    switch (head->type) {
      case NGHTTP2_DATA:
        if (head->length == 0 && (head->flags & NGHTTP2_FLAG_END_STREAM) == 0) self.charge();
        break;
      case NGHTTP2_HEADERS:
        self.head_bytes_ = head->length;
        break;
      case NGHTTP2_CONTINUATION:
        self.head_bytes_ += head->length;
        self.charge();
        break;
      case NGHTTP2_WINDOW_UPDATE:
        break;
      default:
        if ((head->flags & NGHTTP2_FLAG_ACK) == 0) self.charge();
    }
    // Fields are counted one by one as they are read, but one alone may come in a thousand frames.
    if (self.head_bytes_ > size_t{4} * self.limits_.head_bytes) self.charge(H2Budget::burst);
    return 0;
  }

  static int begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (channel(session, frame->hd.stream_id) != nullptr) return 0;
    if (link(user).begin_stream(frame->hd.stream_id)) return 0;
    (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                    NGHTTP2_REFUSED_STREAM);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static void malformed(nghttp2_session* session, int32_t id, H2Link& self) {
    self.charge();
    if (H2Channel* const from = channel(session, id))
      from->break_off(
          {Code::protocol, self.peer_side(), false, 400, "the message breaks the rules of HTTP/2"});
  }

  static int refuse(nghttp2_session* session, const nghttp2_frame* frame, H2Link& self) {
    malformed(session, frame->hd.stream_id, self);
    (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                    NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int field(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                   size_t name_size, const uint8_t* value, size_t value_size, uint8_t, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    H2Channel* const to = channel(session, frame->hd.stream_id);
    if (to == nullptr) return 0;
    if (to->on_field(view(name, name_size), view(value, value_size), to->head_done_)) return 0;
    return refuse(session, frame, link(user));
  }

  // nghttp2 would leave it out; but who sends a broken field is up to something.
  static int invalid_field(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t*,
                           size_t, const uint8_t*, size_t, uint8_t, void* user) {
    return refuse(session, frame, link(user));
  }

  static int frame_came(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    H2Link& self = link(user);
    if (frame->hd.type == NGHTTP2_WINDOW_UPDATE &&
        static_cast<uint32_t>(frame->window_update.window_size_increment) < tiny_window_bytes)
      self.charge(tiny_window_points);
    if (frame->hd.type == NGHTTP2_GOAWAY) self.told_end(frame->goaway.last_stream_id);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    H2Channel* const to = channel(session, frame->hd.stream_id);
    if (to == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !to->fields_ended())
      return refuse(session, frame, self);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) to->ended_input();
    return 0;
  }

  static int invalid_frame(nghttp2_session* session, const nghttp2_frame* frame, int, void* user) {
    malformed(session, frame->hd.stream_id, link(user));
    return 0;
  }

  static int data(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                  void* user) {
    H2Channel* const to = channel(session, id);
    if (to != nullptr)
      to->received(view(bytes, size));
    else
      link(user).consumed(0, size);
    return 0;
  }

  static int closed(nghttp2_session* session, int32_t id, uint32_t code, void* user) {
    H2Channel* const from = channel(session, id);
    if (from != nullptr) from->closed(code);
    (void)user;
    return 0;
  }

  // Trailers: with them the output is at its end.
  static int frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type != NGHTTP2_HEADERS || !last) return 0;
    H2Channel* const from = channel(session, frame->hd.stream_id);
    if (from != nullptr && from->output_done_) from->output_framed();
    return 0;
  }

  // Of NGHTTP2_DATA_FLAG_NO_COPY: the frame's head from nghttp2, its content from the channel.
  static int send_data(nghttp2_session* session, nghttp2_frame* frame, const uint8_t* head,
                       size_t size, nghttp2_data_source*, void* user) {
    H2Link& self = link(user);
    H2Channel* const from = channel(session, frame->hd.stream_id);
    // Taken back meanwhile: an end now would make a cut content look whole.
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (from == nullptr || from->piece_.size() < size || (last && !from->output_done_))
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (!self.has_room()) return NGHTTP2_ERR_WOULDBLOCK;
    constexpr size_t frame_head_bytes = 9;
    self.append(view(head, frame_head_bytes));
    self.append(from->piece_.substr(0, size));
    from->framed(size);
    self.budget_.earn(tiny_window_points);
    return 0;
  }
};

namespace {

struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* all) const { nghttp2_session_callbacks_del(all); }
};

auto make_callbacks() {
  nghttp2_session_callbacks* out = nullptr;
  CHECK(nghttp2_session_callbacks_new(&out) == 0);
  nghttp2_session_callbacks_set_on_begin_frame_callback(out, H2Events::begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(out, H2Events::begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(out, H2Events::field);
  nghttp2_session_callbacks_set_on_invalid_header_callback(out, H2Events::invalid_field);
  nghttp2_session_callbacks_set_on_frame_recv_callback(out, H2Events::frame_came);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(out, H2Events::invalid_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(out, H2Events::data);
  nghttp2_session_callbacks_set_on_stream_close_callback(out, H2Events::closed);
  nghttp2_session_callbacks_set_on_frame_send_callback(out, H2Events::frame_sent);
  nghttp2_session_callbacks_set_send_data_callback(out, H2Events::send_data);
  return std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks>(out);
}

}  // namespace

const nghttp2_session_callbacks* H2Callbacks::all() {
  static const auto table = make_callbacks();
  return table.get();
}

}  // namespace banyan
