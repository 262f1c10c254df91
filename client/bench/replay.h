// The payloads of a run, with room for the stamp in front: padding, or the records of a recorded
// feed in their order, over and over. One thread.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client/bench/fanout_options.h"
#include "client/failure.h"
#include "wire/bytes.h"

namespace ringcast::bench {

// The records of a JSON array, or the lines of any other file; empty ones left out. In JSON their
// text is compact; for a JSON protocol it is made ready to stand inside a string.
std::variant<std::vector<std::string>, client::Failure> read_records(const std::string& path,
                                                                     Protocol protocol);

// The mean size of the payloads that publish these records.
std::size_t mean_payload_bytes(const std::vector<std::string>& records, Protocol protocol);

class ReplayFeed {
 public:
  // The file of options.replay has been read once and was good.
  explicit ReplayFeed(const FanoutOptions& options);

  wire::Bytes next() {
    if (next_ == payloads_.size()) next_ = 0;
    return payloads_[next_++];
  }

 private:
  std::vector<std::string> payloads_;
  std::size_t next_ = 0;
};

}  // namespace ringcast::bench
