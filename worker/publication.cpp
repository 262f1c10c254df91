#include "worker/publication.h"

#include <array>
#include <cstring>

namespace ringcast::worker {
namespace {

using Texts = std::array<std::string_view, PublicationExtrasHeader::kTexts>;

// In the order of PublicationExtrasHeader::sizes.
Texts texts_of(const PublicationExtras& extras) {
  const wire::Passthru& passthru = extras.passthru;
  return {extras.publisher_authid, extras.publisher_authrole, passthru.scheme,
          passthru.serializer,     passthru.cipher,           passthru.keyid,
          extras.receivers};
}

char* append(char* out, std::string_view part) {
  if (!part.empty()) std::memcpy(out, part.data(), part.size());
  return out + part.size();
}

void write_extras(char* out, const PublicationExtras& extras) {
  const Texts texts = texts_of(extras);
  PublicationExtrasHeader header{.publisher = extras.publisher,
                                 .excluded_session = extras.excluded_session,
                                 .sizes = {},
                                 .retain = extras.retain ? 1u : 0u};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    header.sizes[i] = static_cast<std::uint32_t>(texts[i].size());
  }
  std::memcpy(out, &header, sizeof header);
  out += sizeof header;
  for (const std::string_view text : texts) out = append(out, text);
}

std::optional<PublicationExtras> parse_extras(std::string_view bytes) {
  PublicationExtrasHeader header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  std::uint64_t expected = sizeof header;  // 64 bits, so no sum wraps
  for (const std::uint32_t size : header.sizes) expected += size;
  if (expected != bytes.size() || header.retain > 1) return std::nullopt;
  bytes.remove_prefix(sizeof header);
  Texts texts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i] = bytes.substr(0, header.sizes[i]);
    bytes.remove_prefix(header.sizes[i]);
  }
  return PublicationExtras{.publisher = header.publisher,
                           .publisher_authid = texts[0],
                           .publisher_authrole = texts[1],
                           .passthru = {.scheme = texts[2],
                                        .serializer = texts[3],
                                        .cipher = texts[4],
                                        .keyid = texts[5]},
                           .receivers = texts[6],
                           .retain = header.retain != 0,
                           .excluded_session = header.excluded_session};
}

}  // namespace

std::size_t publication_size(const Publication& publication) {
  std::size_t size = sizeof(PublicationHeader) + publication.topic.size() +
                     publication.payload.args.size() + publication.payload.kwargs.size();
  if (publication.extras) {
    size += sizeof(PublicationExtrasHeader);
    for (const std::string_view text : texts_of(*publication.extras)) size += text.size();
  }
  return size;
}

void write_publication(char* out, const Publication& publication) {
  const PublicationHeader header{
      .id = publication.id,
      .topic_size = static_cast<std::uint32_t>(publication.topic.size()),
      .args_size = static_cast<std::uint32_t>(publication.payload.args.size()),
      .kwargs_size = static_cast<std::uint32_t>(publication.payload.kwargs.size()),
      .realm = publication.realm,
      .serializer = static_cast<std::uint8_t>(publication.serializer),
      .has_extras = publication.extras ? std::uint8_t{1} : std::uint8_t{0}};
  std::memcpy(out, &header, sizeof header);
  out += sizeof header;
  out = append(out, publication.topic);
  out = append(out, publication.payload.args);
  out = append(out, publication.payload.kwargs);
  if (publication.extras) write_extras(out, *publication.extras);
}

std::optional<Publication> parse_publication(std::string_view frame) {
  PublicationHeader header{};
  if (frame.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, frame.data(), sizeof header);
  const std::uint64_t plain =
      sizeof header + std::uint64_t{header.topic_size} + header.args_size + header.kwargs_size;
  const bool sizes_agree = header.has_extras == 1 ? plain <= frame.size() : plain == frame.size();
  if (!sizes_agree || header.has_extras > 1 || header.serializer >= wire::kSerializerCount) {
    return std::nullopt;
  }
  auto take = [at = sizeof header, frame](std::uint32_t size) mutable {
    const std::string_view part = frame.substr(at, size);
    at += size;
    return part;
  };
  std::optional<Publication> publication(std::in_place);
  publication->id = header.id;
  publication->realm = header.realm;
  publication->serializer = static_cast<wire::Serializer>(header.serializer);
  publication->topic = take(header.topic_size);
  publication->payload.args = take(header.args_size);
  publication->payload.kwargs = take(header.kwargs_size);
  if (header.has_extras != 0) {
    publication->extras = parse_extras(frame.substr(static_cast<std::size_t>(plain)));
    if (!publication->extras) return std::nullopt;
  }
  return publication;
}

}  // namespace ringcast::worker
