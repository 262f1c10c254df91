// The WAMP sessions of one worker, for every worker to read: which slots have one, in which realm,
// and who they are. So questions about sessions need no message, and what a worker had when it
// crashed is known to its next incarnation.
//
// It lies in the shared segment. Only the worker it is about writes (leave() also its next
// incarnation); any thread may read. An entry is one 64-bit word, so that a dying writer leaves it
// there or not. Texts are written before their entry appears and never while it is there, and no
// two sessions of a slot have the same generation: a reader that finds the same entry before and
// after has read the texts of one session. Memory is committed where it is touched: an anonymous
// session costs eight bytes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ringcast::ring {

struct SessionEntry {
  std::uint32_t generation = 0;  // 0: no session
  std::uint16_t realm = 0;
  bool identified = false;  // it has texts; else it is anonymous, which says all

  bool operator==(const SessionEntry&) const = default;
};

// Who a session is. A text beyond its bound is cut.
struct SessionTexts {
  std::string authid;
  std::string authrole;
  std::string authmethod;
  std::string authprovider;
};

class SessionTable {
 public:
  static constexpr std::size_t kTextsBytes = 512;  // of one session, its four lengths included
  static constexpr std::array<std::size_t, 4> kTextBytesMax = {256, 128, 32, 80};

  using Words = std::span<std::atomic<std::uint64_t>>;

  // `entries`: how many slots were ever used, and a word for each slot; `texts`: kTextsBytes each.
  SessionTable(Words entries, Words texts) : entries_(entries), texts_(texts) {}

  // --- the worker itself. REQUIRES of enter(): there is no session in this slot.
  void enter(std::uint32_t slot, const SessionEntry& entry,
             const std::array<std::string_view, 4>& texts = {});
  void leave(std::uint32_t slot);

  // --- anybody
  // Slots from here on never had a session. What the segment says is checked against its size.
  std::uint32_t slots_used() const;
  SessionEntry read(std::uint32_t slot) const;  // generation 0 beyond the end too
  // The texts of the session that read() has found; nothing if it has left since.
  std::optional<SessionTexts> texts(std::uint32_t slot, const SessionEntry& entry) const;

 private:
  static constexpr std::size_t kTextsWords = kTextsBytes / sizeof(std::uint64_t);
  using TextsBytes = std::array<char, kTextsBytes>;

  std::atomic<std::uint64_t>& entry_word(std::uint32_t slot) const { return entries_[slot + 1]; }

  Words entries_;
  Words texts_;
};

}  // namespace ringcast::ring
