// A publication as it travels between workers: a frame in the publisher's arena, a fixed header and
// the publisher's own bytes behind it, never decoded on the way.
//
// Values; any thread. Read from shared memory, so parse() believes no length before it has checked
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/message.h"
#include "wire/serializer.h"

namespace ringcast::worker {

// What only some publications have, by their options.
struct PublicationExtras {
  // The session that lets itself be disclosed, 0 and empty otherwise ("Publisher Identification").
  std::uint64_t publisher = 0;
  std::string_view publisher_authid{};
  std::string_view publisher_authrole{};
  // In use exactly if there is a scheme ("Payload Passthru Mode").
  wire::Passthru passthru{};
  // By write_receiver_filter() (worker/receiver_filter.h); empty: for everybody.
  std::string_view receivers{};
  // "Event Retention": the topic's home worker keeps it, but not for this session (0: for all).
  bool retain = false;
  std::uint64_t excluded_session = 0;
};

struct Publication {
  std::uint64_t id = 0;
  std::uint16_t realm = 0;
  wire::Serializer serializer = wire::Serializer::json;
  std::string_view topic{};
  wire::Payload payload{};
  std::optional<PublicationExtras> extras{};
};

// What the frame begins with. Behind it lie topic, args and kwargs, and the extras if there are
// any: their header and then their texts.
struct PublicationHeader {
  std::uint64_t id;
  std::uint32_t topic_size;
  std::uint32_t args_size;
  std::uint32_t kwargs_size;
  std::uint16_t realm;
  std::uint8_t serializer;
  std::uint8_t has_extras;  // 0 or 1
};
static_assert(sizeof(PublicationHeader) == 24);

struct PublicationExtrasHeader {
  static constexpr std::size_t kTexts = 7;

  std::uint64_t publisher;
  std::uint64_t excluded_session;
  std::uint32_t sizes[kTexts];  // authid, authrole; scheme, serializer, cipher, keyid; receivers
  std::uint32_t retain;         // 0 or 1
};
static_assert(sizeof(PublicationExtrasHeader) == 48);

std::size_t publication_size(const Publication& publication);

// Writes publication_size() bytes.
void write_publication(char* out, const Publication& publication);

// Views into `frame`; nothing if its headers contradict its size.
std::optional<Publication> parse_publication(std::string_view frame);

}  // namespace ringcast::worker
