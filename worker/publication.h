// A publication as it travels between workers: a frame in the publisher's arena, a fixed header and
// the publisher's own bytes behind it, never decoded on the way.
//
// Values; any thread. Read from shared memory, so parse() believes no length before it has checked
// it.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "wire/message.h"
#include "wire/serializer.h"

namespace ringcast::worker {

struct Publication {
  std::uint64_t id = 0;
  std::uint16_t realm = 0;
  wire::Serializer serializer = wire::Serializer::json;
  std::string_view topic;
  wire::Payload payload;
};

struct PublicationHeader {
  std::uint64_t id;
  std::uint32_t topic_size;
  std::uint32_t args_size;
  std::uint32_t kwargs_size;
  std::uint16_t realm;
  std::uint8_t serializer;
  std::uint8_t reserved;
};
static_assert(sizeof(PublicationHeader) == 24);

inline std::size_t publication_size(const Publication& publication) {
  return sizeof(PublicationHeader) + publication.topic.size() + publication.payload.args.size() +
         publication.payload.kwargs.size();
}

// Writes publication_size() bytes.
inline void write_publication(char* out, const Publication& publication) {
  const PublicationHeader header{
      .id = publication.id,
      .topic_size = static_cast<std::uint32_t>(publication.topic.size()),
      .args_size = static_cast<std::uint32_t>(publication.payload.args.size()),
      .kwargs_size = static_cast<std::uint32_t>(publication.payload.kwargs.size()),
      .realm = publication.realm,
      .serializer = static_cast<std::uint8_t>(publication.serializer),
      .reserved = 0};
  std::memcpy(out, &header, sizeof header);
  out += sizeof header;
  for (const std::string_view part :
       {publication.topic, publication.payload.args, publication.payload.kwargs}) {
    if (!part.empty()) std::memcpy(out, part.data(), part.size());
    out += part.size();
  }
}

// Views into `frame`; nothing if the header contradicts the frame's size.
inline std::optional<Publication> parse_publication(std::string_view frame) {
  PublicationHeader header{};
  if (frame.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, frame.data(), sizeof header);
  const std::uint64_t expected =
      sizeof header + std::uint64_t{header.topic_size} + header.args_size + header.kwargs_size;
  if (expected != frame.size() || header.serializer >= wire::kSerializerCount) return std::nullopt;
  auto take = [at = sizeof header, frame](std::uint32_t size) mutable {
    const std::string_view part = frame.substr(at, size);
    at += size;
    return part;
  };
  Publication publication;
  publication.id = header.id;
  publication.realm = header.realm;
  publication.serializer = static_cast<wire::Serializer>(header.serializer);
  publication.topic = take(header.topic_size);
  publication.payload.args = take(header.args_size);
  publication.payload.kwargs = take(header.kwargs_size);
  return publication;
}

}  // namespace ringcast::worker
