// Bytes to WebSocket messages (RFC 6455 sections 5 to 8), one reader per connection. Pull style:
// the caller hands over what it received and takes one event at a time, so it can stop in the
// middle of a batch (back-pressure) and go on later with what is left.
//
// A message that lies in the input in one whole frame, as nearly all do, is taken by whole_frame.h.
// Everything else goes through wslay's frame API: fragments, control frames, frames that come in
// pieces, and all that breaks a rule. So there is one judge of bad input.
//
// Owned by one connection, used by that connection's thread only. While no message and no frame is
// in progress a reader owns no memory beyond itself: parser state is taken from a FrameStatePool of
// that thread where it is needed. It holds the payload that was returned last, so it goes back when
// that is not needed any more: with the next read() that has no use for it, or by rest().
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
    violation,  // the peer broke the protocol: answer with a close frame of `code`, reason in
                // payload (ASCII, naming the cause; 1002 protocol, 1007 text, 1008 fragments_max,
                // 1009 size)
  };
  Kind kind = Kind::need_more;
  std::uint16_t code = 0;
  // Valid while the input is, and until the next call on any reader of the same pool.
  Bytes payload;
};

class FrameState;  // wslay's context and the message under assembly

// What the readers of one thread share: parser states that are used in turn, of which it keeps at
// most `kept_max`, and the place where whole frames are unmasked.
class FrameStatePool {
 public:
  explicit FrameStatePool(std::size_t kept_max = 64);
  ~FrameStatePool();
  FrameStatePool(const FrameStatePool&) = delete;
  FrameStatePool& operator=(const FrameStatePool&) = delete;

  // The number of states kept now.
  std::size_t kept() const { return kept_.size(); }

 private:
  friend class FrameReader;
  std::unique_ptr<FrameState> take();
  // Drops the state if it was left in the middle of a frame, or if enough are kept.
  void give_back(std::unique_ptr<FrameState> state);
  // kWholePayloadMax bytes, made when they are first needed.
  char* scratch();

  std::vector<std::unique_ptr<FrameState>> kept_;
  std::size_t kept_max_;
  std::unique_ptr<char[]> scratch_;
};

class FrameReader {
 public:
  // `pool` and `limits` outlive the reader.
  FrameReader(Role role, const FrameLimits& limits, FrameStatePool& pool);
  ~FrameReader();
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;

  // Consumes from the front of `input` up to and including the first event and returns it; what is
  // left in `input` has not been looked at. The loop is: read until need_more comes. After close or
  // violation it must not be called again.
  FrameEvent read(Bytes& input);

  // Gives the parser state back if no frame and no fragmented message is in progress, and with it
  // the payload of the last event. For a caller that does not read until need_more, such as one
  // that stops for back-pressure. No effect otherwise; may be called at any time.
  void rest();

  // True exactly while no memory is held, which implies that no frame and no fragmented message is
  // in progress. True from the next read() without input, or rest(), on, if not before.
  bool idle() const;

 private:
  const FrameLimits* limits_;
  FrameStatePool* pool_;
  std::unique_ptr<FrameState> state_;  // set exactly while not idle
  Role role_;
  bool ended_ = false;  // true from a close or violation event on
};

}  // namespace ringcast::wire
