// Who may get a publication that has exclude or eligible lists (WAMP specification, "Subscriber
// Black- and Whitelisting"): a receiver gets it only if every list that is present agrees. An
// absent list says nothing; an empty eligible list lets nobody through.
//
// read_receiver_lists() decodes them, and write_receiver_filter() makes the lists into sorted
// bytes, once, at the publisher's worker; they travel in the publication's frame, and
// ReceiverFilter reads them where they lie. Values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/options.h"
#include "wire/serializer.h"

namespace ringcast::worker {

// PUBLISH.Options, decoded: in any order, with repetitions.
struct ReceiverLists {
  std::optional<std::vector<std::uint64_t>> eligible{};
  std::optional<std::vector<std::uint64_t>> exclude{};
  std::optional<std::vector<std::string>> eligible_authid{};
  std::optional<std::vector<std::string>> exclude_authid{};
  std::optional<std::vector<std::string>> eligible_authrole{};
  std::optional<std::vector<std::string>> exclude_authrole{};

  // Then there is nothing to filter, and no bytes need to travel.
  bool all_absent() const {
    return !eligible && !exclude && !eligible_authid && !exclude_authid && !eligible_authrole &&
           !exclude_authrole;
  }
};

// Elements of all lists of one publication: so they are no more than half a megabyte beyond the
// bytes that came in.
inline constexpr std::size_t kReceiversMax = 65536;

// Nothing if there are more than kReceiversMax. Off the path of plain publications: it allocates.
std::optional<ReceiverLists> read_receiver_lists(wire::Serializer serializer,
                                                 const wire::ReceiverFilter& options);

// 44 bytes, and 8 for each session or 4 and its text for each name.
std::string write_receiver_filter(ReceiverLists lists);

// Reads what write_receiver_filter() wrote; a view, valid as long as the bytes are.
//
// The bytes may lie in shared memory, where a failing worker could still write to them: lengths are
// checked by parse() and kept here, and every offset again where it is used. Nothing beyond the
// bytes is read whatever they are, and they are never written.
class ReceiverFilter {
 public:
  // Ascending session ids.
  class Sessions {
   public:
    Sessions() = default;
    Sessions(const char* at, std::size_t count) : at_(at), count_(count) {}
    std::size_t size() const { return count_; }
    // REQUIRES: index < size().
    std::uint64_t operator[](std::size_t index) const {
      std::uint64_t session;
      std::memcpy(&session, at_ + index * sizeof session, sizeof session);
      return session;
    }
    bool contains(std::uint64_t session) const;
    bool ascend() const;

   private:
    const char* at_ = nullptr;
    std::size_t count_ = 0;
  };

  // Nothing unless `bytes` is exactly one filter, its lists ascending. Takes time in its size.
  static std::optional<ReceiverFilter> parse(std::string_view bytes);

  // Whether this receiver may get the publication. Takes time in the logarithm of the lists' sizes.
  bool allows(std::uint64_t session, std::string_view authid, std::string_view authrole) const;

  // The only sessions that may get it, if the publication names any: where they are fewer than the
  // subscribers, it is cheaper to address these. allows() must hold for each all the same.
  std::optional<Sessions> eligible_sessions() const;

 private:
  // Strings in ascending order: where each ends, then their bytes one after the other.
  class Names {
   public:
    Names() = default;
    Names(const char* ends, std::size_t count, std::string_view text)
        : ends_(ends), count_(count), text_(text) {}
    bool contains(std::string_view name) const;
    bool ascend() const;  // and lie in the text, one after the other

   private:
    std::uint32_t end(std::size_t index) const {
      std::uint32_t offset;
      std::memcpy(&offset, ends_ + index * sizeof offset, sizeof offset);
      return offset;
    }
    // Empty where the offsets contradict each other or the text.
    std::string_view at(std::size_t index) const;

    const char* ends_ = nullptr;
    std::size_t count_ = 0;
    std::string_view text_;
  };

  static constexpr std::size_t kSessionLists = 2;  // eligible, exclude
  static constexpr std::size_t kNameLists = 4;     // the same by authid, then by authrole
  static constexpr std::size_t kLists = kSessionLists + kNameLists;

  // What the bytes begin with; the lists follow in the same order.
  struct Header {
    std::uint32_t present;         // bit per list
    std::uint32_t counts[kLists];  // elements; 0 where absent
    std::uint32_t text_sizes[kNameLists];
  };
  static_assert(sizeof(Header) == 44);
  friend std::string write_receiver_filter(ReceiverLists lists);

  bool has(std::size_t list) const { return (present_ >> list & 1) != 0; }

  std::uint32_t present_ = 0;
  std::array<Sessions, kSessionLists> sessions_;
  std::array<Names, kNameLists> names_;
};

}  // namespace ringcast::worker
