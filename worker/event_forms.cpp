#include "worker/event_forms.h"

#include <cassert>

#include "wire/encode.h"
#include "wire/frame_writer.h"
#include "wire/transcode.h"

namespace ringcast::worker {

EventFrame::EventFrame(wire::Serializer serializer, std::uint32_t subscription,
                       std::uint64_t publication, const wire::Payload& payload, wire::Bytes details)
    : serializer_(serializer),
      subscription_(subscription),
      publication_(publication),
      payload_(payload),
      details_(details),
      event_size_(details.empty()
                      ? wire::event_size(serializer, subscription, publication, payload)
                      : wire::event_size(serializer, subscription, publication, payload, details)),
      size_(wire::frame_header_size(event_size_) + event_size_) {}

void EventFrame::write(char* out) const {
  [[maybe_unused]] const char* const begin = out;
  out = wire::write_frame_header(out, wire::frame_opcode(serializer_), event_size_);
  out = details_.empty()
            ? wire::write_event(out, serializer_, subscription_, publication_, payload_)
            : wire::write_event(out, serializer_, subscription_, publication_, payload_, details_);
  assert(out == begin + size_);
}

const wire::Payload* EventForms::payload(wire::Serializer serializer) {
  if (serializer == publication_->serializer) return &publication_->payload;
  Form& form = forms_[static_cast<std::size_t>(serializer)];
  if (form.payload_state == PayloadState::not_asked) {
    form.args.clear();
    form.kwargs.clear();
    const wire::Payload& payload = publication_->payload;
    const bool there =
        wire::transcode(publication_->serializer, serializer, payload.args, form.args) &&
        wire::transcode(publication_->serializer, serializer, payload.kwargs, form.kwargs);
    form.payload = {.args = form.args, .kwargs = form.kwargs};
    form.payload_state = there ? PayloadState::there : PayloadState::none;
  }
  return form.payload_state == PayloadState::there ? &form.payload : nullptr;
}

EventFrame EventForms::frame(wire::Serializer serializer, const wire::Payload& payload,
                             std::uint32_t subscription, wire::MatchPolicy match, bool retained) {
  const bool with_topic = match != wire::MatchPolicy::exact;
  const bool any = with_topic || retained || publication_->extras;
  return {serializer, subscription, publication_->id, payload,
          any ? details(serializer, with_topic, retained) : wire::Bytes()};
}

wire::Bytes EventForms::details(wire::Serializer serializer, bool with_topic, bool retained) {
  if (retained != details_retained_) forget_details();
  details_retained_ = retained;
  std::string& made = forms_[static_cast<std::size_t>(serializer)].details[with_topic ? 1 : 0];
  if (!made.empty()) return made;
  wire::EventDetails details{.topic = with_topic ? publication_->topic : wire::Bytes(),
                             .retained = retained};
  if (const auto& extras = publication_->extras) {
    details.publisher = extras->publisher;
    details.publisher_authid = extras->publisher_authid;
    details.publisher_authrole = extras->publisher_authrole;
    if (!extras->passthru.scheme.empty()) details.passthru = extras->passthru;
    const bool any = with_topic || retained || details.publisher != 0 || details.passthru;
    if (!any) return {};
  }
  wire::append_event_details(made, serializer, details);
  details_made_ = true;
  return made;
}

void EventForms::forget_details() {
  for (Form& form : forms_) {
    for (std::string& details : form.details) details.clear();
  }
  details_made_ = false;
}

}  // namespace ringcast::worker
