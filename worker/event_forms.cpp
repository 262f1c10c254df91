#include "worker/event_forms.h"

#include "wire/encode.h"
#include "wire/transcode.h"

namespace ringcast::worker {

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

wire::Bytes EventForms::details(wire::Serializer serializer, wire::MatchPolicy match) {
  if (match == wire::MatchPolicy::exact) return {};
  std::string& details = forms_[static_cast<std::size_t>(serializer)].topic_details;
  if (details.empty()) {
    wire::append_event_details(details, serializer, {.topic = publication_->topic});
  }
  return details;
}

}  // namespace ringcast::worker
