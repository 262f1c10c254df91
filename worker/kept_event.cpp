#include "worker/kept_event.h"

#include "wire/encode.h"
#include "wire/members.h"

namespace ringcast::worker {

EventToKeep::EventToKeep(const Publication& publication, std::int64_t time_ms) {
  event_.publication = publication.id;
  event_.time_ms = time_ms;
  event_.topic = publication.topic;
  event_.serializer = publication.serializer;
  event_.payload = publication.payload;
  if (!publication.extras) return;
  const PublicationExtras& extras = *publication.extras;
  if (!extras.passthru.scheme.empty()) {
    wire::append_event_details(details_, publication.serializer, {.passthru = extras.passthru});
  }
  event_.details = details_;
  event_.publisher = extras.publisher;
  event_.publisher_authid = extras.publisher_authid;
  event_.publisher_authrole = extras.publisher_authrole;
  event_.excluded_session = extras.excluded_session;
  event_.restricted = !extras.receivers.empty();
}

KeptPublication::KeptPublication(std::uint16_t realm, const Event& event) {
  publication_ = {.id = event.publication,
                  .realm = realm,
                  .serializer = event.serializer,
                  .topic = event.topic,
                  .payload = event.payload};
  PublicationExtras& extras = publication_.extras.emplace();
  extras.publisher = event.publisher;
  extras.publisher_authid = event.publisher_authid;
  extras.publisher_authrole = event.publisher_authrole;
  extras.excluded_session = event.excluded_session;
  if (event.details.empty()) return;
  constexpr wire::Bytes kNames[] = {"ppt_scheme", "ppt_serializer", "ppt_cipher", "ppt_keyid"};
  for (std::size_t i = 0; i < passthru_.size(); ++i) {
    passthru_[i] =
        wire::text_member(event.serializer, event.details, kNames[i]).value_or(std::string());
  }
  extras.passthru = {.scheme = passthru_[0],
                     .serializer = passthru_[1],
                     .cipher = passthru_[2],
                     .keyid = passthru_[3]};
}

}  // namespace ringcast::worker
