#include "patterns/routing/answer.h"

#include "http/grammar.h"

namespace banyan {

namespace {

// A content that someone else owns.
class ViewBody final : public Body {
 public:
  explicit ViewBody(Bytes text) : size_(text.size()), left_(text) {}
  Task<Result<Bytes>> read() override { co_return ready(); }
  Bytes ready() override { return std::exchange(left_, {}); }
  bool ended() const override { return left_.empty(); }
  std::optional<uint64_t> length() const override { return size_; }

 private:
  const size_t size_;
  Bytes left_;
};

// RFC 9110, sections 15.3.5, 15.3.6, 15.4.5.
bool has_no_content(uint16_t status) { return status == 204 || status == 205 || status == 304; }

std::string fault_of(const RespondSettings& settings) {
  if (settings.status < 200 || settings.status > 599)
    return std::to_string(settings.status) + " is no final status";
  if (has_no_content(settings.status) && !settings.body.empty())
    return std::to_string(settings.status) + " has no content, so `body` cannot be sent";
  if (!is_field_value(settings.content_type)) return "content_type has a control byte";
  return {};
}

Task<Reply> give(Response rsp) { co_return rsp; }

}  // namespace

std::shared_ptr<Answer> Answer::make(const RespondSettings& settings, const Place& place,
                                     Problems& problems) {
  if (std::string fault = fault_of(settings); !fault.empty()) {
    problems.error(place, "respond", std::move(fault));
    return nullptr;
  }
  RespondSettings full = settings;
  if (full.content_type.empty()) full.content_type = "text/plain; charset=utf-8";
  return std::shared_ptr<Answer>(new Answer(std::move(full)));
}

Task<Reply> Answer::call(Request& request) {
  Response rsp = make_response(request, settings_.status);
  if (!settings_.body.empty()) {
    rsp.headers->add(Name::content_type, settings_.content_type);
    rsp.body = std::make_unique<ViewBody>(settings_.body);
  }
  return give(std::move(rsp));
}

}  // namespace banyan
