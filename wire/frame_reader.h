// Bytes to WebSocket messages (RFC 6455 sections 5 to 8), one reader per connection, over wslay's
// frame API. Pull style: the caller hands over what it received and takes one event at a time, so it
// can stop in the middle of a batch (back-pressure) and go on later with what is left.
//
// Owned by one connection, used by that connection's thread only. While no message and no frame is in
// progress a reader owns no memory beyond itself: parser state is taken from a FrameStatePool of that
// thread at the first byte and given back at the message boundary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "wire/bytes.h"
#include "wire/frame_writer.h"

namespace ringcast::wire {

enum class Role : std::uint8_t { server, client };

struct FrameLimits {
  std::size_t message_size_max = 16u << 20;  // bytes of one message, all fragments together
  std::size_t fragments_max = 65536;         // frames of one message
};

struct FrameEvent {
  enum class Kind : std::uint8_t {
    need_more,  // the input is used up; nothing is complete
    text,       // a whole message, valid UTF-8; payload set
    binary,     // a whole message; payload set
    ping,       // payload set (0 to 125 bytes)
    pong,       // payload set
    close,      // the peer's close frame: code (1005 if it carried none) and reason in payload
    violation,  // the peer broke the protocol: answer with a close frame of `code`, reason in payload
  };
  Kind kind = Kind::need_more;
  std::uint16_t code = 0;
  Bytes payload;  // valid until the next call on this reader. Messages: 64 readable bytes follow it.
};

class FrameState;  // wslay's context and the message under assembly

// Recycles parser states between the readers of one thread. Keeps at most `kept_max` of them.
class FrameStatePool {
 public:
  explicit FrameStatePool(std::size_t kept_max = 64);
  ~FrameStatePool();
  FrameStatePool(const FrameStatePool&) = delete;
  FrameStatePool& operator=(const FrameStatePool&) = delete;

  std::unique_ptr<FrameState> take();
  void give_back(std::unique_ptr<FrameState> state);

 private:
  std::vector<std::unique_ptr<FrameState>> kept_;
  std::size_t kept_max_;
};

class FrameReader {
 public:
  // `pool` and `limits` outlive the reader.
  FrameReader(Role role, const FrameLimits& limits, FrameStatePool& pool);
  ~FrameReader();
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;

  // Consumes from the front of `input` up to and including the first event and returns it; what is left
  // in `input` has not been looked at. After close or violation the reader must not be called again.
  FrameEvent read(Bytes& input);

  // True exactly while no frame and no fragmented message is in progress (and no memory is held).
  bool idle() const;

 private:
  const FrameLimits* limits_;
  FrameStatePool* pool_;
  std::unique_ptr<FrameState> state_;
  Role role_;
};

}  // namespace ringcast::wire
