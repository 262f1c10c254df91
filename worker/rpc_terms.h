// A registration's terms in the 32 bits of a descriptor's argument; its concurrency travels beside
// them. Stateless; any thread. Read from shared memory, so unpacking checks what it finds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "wire/options.h"
#include "worker/registrations.h"

namespace ringcast::worker {

// A limit beyond what any callee holds at a time is none.
inline std::uint32_t bounded_concurrency(std::uint64_t asked) {
  return asked > UINT32_MAX ? 0 : static_cast<std::uint32_t>(asked);
}

struct MatchedTerms {
  wire::MatchPolicy match = wire::MatchPolicy::exact;
  RegistrationTerms terms;
};

inline std::uint32_t packed_terms(wire::MatchPolicy match, const RegistrationTerms& terms) {
  return static_cast<std::uint32_t>(match) | static_cast<std::uint32_t>(terms.invoke) << 8 |
         std::uint32_t{terms.discloses_caller} << 16 | std::uint32_t{terms.forwards_timeout} << 17 |
         std::uint32_t{terms.understands_interrupt} << 18;
}

inline std::optional<MatchedTerms> unpacked_terms(std::uint32_t packed, std::uint32_t concurrency) {
  const auto match = static_cast<wire::MatchPolicy>(packed & 0xFF);
  const auto invoke = static_cast<wire::InvokePolicy>(packed >> 8 & 0xFF);
  if (match >= wire::MatchPolicy::unknown || invoke >= wire::InvokePolicy::unknown) {
    return std::nullopt;
  }
  return MatchedTerms{.match = match,
                      .terms = {.invoke = invoke,
                                .concurrency = concurrency,
                                .discloses_caller = (packed >> 16 & 1) != 0,
                                .forwards_timeout = (packed >> 17 & 1) != 0,
                                .understands_interrupt = (packed >> 18 & 1) != 0}};
}

}  // namespace ringcast::worker
