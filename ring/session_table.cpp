#include "ring/session_table.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "ring/connection_id.h"

namespace ringcast::ring {
namespace {

// generation | realm | identified
constexpr unsigned kRealmShift = kGenerationBits;
constexpr unsigned kIdentifiedShift = kRealmShift + 16;

std::uint64_t packed(const SessionEntry& entry) {
  return entry.generation | std::uint64_t{entry.realm} << kRealmShift |
         std::uint64_t{entry.identified} << kIdentifiedShift;
}

SessionEntry unpacked(std::uint64_t word) {
  return {.generation = static_cast<std::uint32_t>(word) & kGenerationMask,
          .realm = static_cast<std::uint16_t>(word >> kRealmShift),
          .identified = (word >> kIdentifiedShift & 1) != 0};
}

// As much of it as fits, up to the beginning of a character.
std::string_view cut(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return text;
  while (size_max != 0 && (static_cast<unsigned char>(text[size_max]) & 0xC0) == 0x80) --size_max;
  return text.substr(0, size_max);
}

}  // namespace

static_assert(SessionTable::kTextBytesMax[0] + SessionTable::kTextBytesMax[1] +
                  SessionTable::kTextBytesMax[2] + SessionTable::kTextBytesMax[3] +
                  4 * sizeof(std::uint16_t) <=
              SessionTable::kTextsBytes);

// Release on each word of the texts and acquire in texts(): what is read there of a later session
// comes with the entry's absence, which the second look at it then sees.
void SessionTable::enter(std::uint32_t slot, const SessionEntry& entry,
                         const std::array<std::string_view, 4>& texts) {
  assert(entry.generation != 0 && read(slot).generation == 0);
  if (entry.identified) {
    TextsBytes bytes{};
    std::size_t end = texts.size() * sizeof(std::uint16_t);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string_view text = cut(texts[i], kTextBytesMax[i]);
      const auto size = static_cast<std::uint16_t>(text.size());
      std::memcpy(bytes.data() + i * sizeof size, &size, sizeof size);
      text.copy(bytes.data() + end, text.size());
      end += text.size();
    }
    const Words words = texts_.subspan(std::size_t{slot} * kTextsWords, kTextsWords);
    for (std::size_t i = 0; i * sizeof(std::uint64_t) < end; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + i * sizeof word, sizeof word);
      words[i].store(word, std::memory_order_release);
    }
  }
  // Relaxed: this worker is the only writer. Before the entry, so that a crash in between hides
  // none.
  if (slot >= entries_[0].load(std::memory_order_relaxed)) {
    entries_[0].store(slot + 1, std::memory_order_release);
  }
  entry_word(slot).store(packed(entry), std::memory_order_release);
}

void SessionTable::leave(std::uint32_t slot) {
  entry_word(slot).store(0, std::memory_order_release);
}

std::uint32_t SessionTable::slots_used() const {
  const std::uint64_t used = entries_[0].load(std::memory_order_acquire);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(used, entries_.size() - 1));
}

SessionEntry SessionTable::read(std::uint32_t slot) const {
  if (slot + std::size_t{1} >= entries_.size()) return {};
  return unpacked(entry_word(slot).load(std::memory_order_acquire));
}

std::optional<SessionTexts> SessionTable::texts(std::uint32_t slot,
                                                const SessionEntry& entry) const {
  assert(entry.identified);
  TextsBytes bytes{};
  const Words words = texts_.subspan(std::size_t{slot} * kTextsWords, kTextsWords);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint64_t word = words[i].load(std::memory_order_acquire);
    std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
  }
  if (read(slot) != entry) return std::nullopt;
  std::array<std::string, 4> texts;
  std::size_t at = texts.size() * sizeof(std::uint16_t);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::uint16_t size = 0;
    std::memcpy(&size, bytes.data() + i * sizeof size, sizeof size);
    if (size > kTextBytesMax[i]) return std::nullopt;  // nobody wrote that
    texts[i].assign(bytes.data() + at, size);
    at += size;
  }
  return SessionTexts{.authid = std::move(texts[0]),
                      .authrole = std::move(texts[1]),
                      .authmethod = std::move(texts[2]),
                      .authprovider = std::move(texts[3])};
}

}  // namespace ringcast::ring
