// A session of the churn that comes, lives a moment and ends in a way drawn at random, over and
// over; all of what it receives is checked as anybody's (Member).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tests/stress/churn_member.h"

namespace ringcast::stress {

enum class Ending : std::uint8_t {
  rst,
  fin,
  close_frame,
  half_frame_fin,
  half_frame_rst,
  goodbye,           // then a close frame
  goodbye_again,     // SUBSCRIBE, GOODBYE and another session's HELLO at once, on the same link
  half_upgrade_rst,  // in the middle of the HTTP request
  half_upgrade_fin,
  upgrade_rst,    // upgraded, no HELLO
  hello_rst,      // HELLO, and gone before WELCOME
  subscribe_rst,  // SUBSCRIBE, and gone before the answer comes from another worker
  publish_rst,    // PUBLISH with acknowledge, and gone before PUBLISHED
  count_,
};
inline constexpr std::size_t kEndings = static_cast<std::size_t>(Ending::count_);
std::string_view ending_name(Ending ending);

class Churner : public Member {
 public:
  Churner(Engine& engine, World& world, std::int64_t now, std::int64_t life_ms_max);

  // Does what is due.
  void tick(std::int64_t now);

  static std::uint64_t endings(Ending ending) { return endings_[static_cast<std::size_t>(ending)]; }

 private:
  enum class Stage : std::uint8_t { opening, living, closing, over };

  void draw(std::int64_t now);
  void end_upgrade();
  void end();
  void begin_again();
  void half_a_frame();
  void gossip() { tell(kGossip, ++gossiped_, true); }

  std::string opening() const override;
  void on_open() override;
  void on_welcome(std::uint64_t session) override;
  void on_goodbye(wire::Bytes reason) override;
  void on_close(std::uint16_t code, wire::Bytes reason) override;
  void on_refused(unsigned status, const std::string& body) override;
  void on_end(int error) override;

  Ending ending_ = Ending::rst;
  Stage stage_ = Stage::opening;
  bool said_goodbye_ = false;
  bool got_close_ = false;
  std::int64_t life_ms_max_;
  std::int64_t deadline_ms_ = 0;
  std::uint64_t gossiped_ = 0;
  static inline std::array<std::uint64_t, kEndings> endings_{};
};

}  // namespace ringcast::stress
