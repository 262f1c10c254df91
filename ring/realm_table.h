// The realms that came into being on demand: which place of the table each has, and with it a
// number that is the same in every worker and outlives them. Lies in the shared segment; any
// worker, at any time. A place is one 64-bit word that is written once, so whoever dies meanwhile
// leaves it free or taken, and it is never given to another realm.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

namespace ringcast::ring {

inline constexpr std::uint32_t kRealmPlaces = 4096;

class RealmTable {
 public:
  // The place of the realm whose name has this hash, which nobody can choose names by (keyed), and
  // the same kind as before (1 to 255). Claims one if it has none yet; nothing if all are taken.
  std::optional<std::uint32_t> claim(std::uint64_t name_hash, std::uint8_t kind) {
    const std::uint64_t word = (name_hash & ~std::uint64_t{kKindMask}) | kind;
    for (std::uint32_t probe = 0; probe < kRealmPlaces; ++probe) {
      const auto place = static_cast<std::uint32_t>(((name_hash >> 32) + probe) % kRealmPlaces);
      std::uint64_t found = 0;
      // Relaxed: the word is all there is to know.
      if (places_[place].compare_exchange_strong(found, word, std::memory_order_relaxed) ||
          found == word) {
        return place;
      }
    }
    return std::nullopt;
  }

  // 0: free, or beyond the table.
  std::uint8_t kind_at(std::uint32_t place) const {
    if (place >= kRealmPlaces) return 0;
    return static_cast<std::uint8_t>(places_[place].load(std::memory_order_relaxed) & kKindMask);
  }

 private:
  static constexpr std::uint64_t kKindMask = 0xFF;
  std::array<std::atomic<std::uint64_t>, kRealmPlaces> places_{};
};

}  // namespace ringcast::ring
