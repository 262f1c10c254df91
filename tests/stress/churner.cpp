#include "tests/stress/churner.h"

#include <cerrno>
#include <cstring>

#include "tests/stress/verdict.h"

namespace ringcast::stress {
namespace {

constexpr std::array<std::string_view, kEndings> kNames = {
    "rst",       "fin",           "close_frame",      "half_frame_fin",   "half_frame_rst",
    "goodbye",   "goodbye_again", "half_upgrade_rst", "half_upgrade_fin", "upgrade_rst",
    "hello_rst", "subscribe_rst", "publish_rst"};

}  // namespace

std::string_view ending_name(Ending ending) { return kNames[static_cast<std::size_t>(ending)]; }

Churner::Churner(Engine& engine, World& world, std::int64_t now, std::int64_t life_ms_max)
    : Member(engine, world), life_ms_max_(life_ms_max) {
  draw(now);
}

void Churner::draw(std::int64_t now) {
  ending_ = static_cast<Ending>(world_.random(kEndings));
  ++endings_[static_cast<std::size_t>(ending_)];
  // A third ends at once: what was asked for is still being answered then.
  const bool at_once = world_.random(3) == 0;
  const auto life_ms = static_cast<std::uint64_t>(life_ms_max_);
  deadline_ms_ = at_once ? now : now + static_cast<std::int64_t>(world_.random(life_ms));
}

std::string Churner::opening() const {
  const std::string whole = Member::opening();
  const bool half = ending_ == Ending::half_upgrade_rst || ending_ == Ending::half_upgrade_fin;
  return half ? whole.substr(0, 1 + uid() % (whole.size() - 1)) : whole;
}

void Churner::on_open() {
  if (ending_ == Ending::upgrade_rst) return reset();
  Member::on_open();
  if (ending_ == Ending::hello_rst) reset();
}

void Churner::on_welcome(std::uint64_t session) {
  Member::on_welcome(session);
  stage_ = Stage::living;
  join(kPrivate);
  for (std::uint32_t topic = 0; topic < kSharedTopics; ++topic) {
    if (world_.random(2) == 0) join(topic);
  }
}

void Churner::tick(std::int64_t now) {
  if (ended() || now < deadline_ms_) return;
  switch (stage_) {
    case Stage::opening:
      return end_upgrade();
    case Stage::living:
      return end();
    case Stage::closing:
    case Stage::over:
      return;
  }
}

void Churner::end_upgrade() {
  if (state() != State::upgrading || unsent() != 0) return;
  if (ending_ == Ending::half_upgrade_rst) reset();
  if (ending_ == Ending::half_upgrade_fin) {
    stage_ = Stage::over;
    finish();
  }
}

void Churner::end() {
  withdraw();
  stage_ = Stage::over;
  if (world_.random(2) == 0) leave_any();
  if (world_.random(4) == 0) gossip();
  switch (ending_) {
    case Ending::rst:
      return reset();
    case Ending::fin:
      return finish();
    case Ending::close_frame:
      stage_ = Stage::closing;
      return close_frame();
    case Ending::half_frame_fin:
      half_a_frame();
      return finish();
    case Ending::half_frame_rst:
      half_a_frame();
      return reset();
    case Ending::goodbye:
      said_goodbye_ = true;
      return goodbye();
    case Ending::goodbye_again:
      return begin_again();
    case Ending::subscribe_rst:
      join(kLate);
      return reset();
    case Ending::publish_rst:
      gossip();
      return reset();
    default:
      return reset();  // drawn for the upgrade, but a second session has no upgrade
  }
}

// The answer to this SUBSCRIBE finds the same connection, but another session on it.
void Churner::begin_again() {
  join(kLate);
  goodbye();
  said_goodbye_ = true;
  hello();
}

void Churner::half_a_frame() {
  std::string frame;
  wire::append_masked_frame(frame, wire::Opcode::binary, true, std::string(64, 'x'), 0x12345678);
  send_raw(std::string_view(frame).substr(0, 1 + world_.random(frame.size() - 1)));
}

void Churner::on_goodbye(wire::Bytes reason) {
  if (!said_goodbye_) misdelivered("session {} gets a GOODBYE unasked: {}", uid(), reason);
  said_goodbye_ = false;
  if (ending_ == Ending::goodbye) {
    be_reborn();  // holds nothing any more: whatever comes now is not for it
    stage_ = Stage::closing;
    return close_frame();
  }
  be_reborn();
  gossiped_ = 0;
  stage_ = Stage::opening;
  do {
    draw(0);
  } while (ending_ >= Ending::half_upgrade_rst && ending_ <= Ending::hello_rst);
}

void Churner::on_close(std::uint16_t code, wire::Bytes reason) {
  if (stage_ != Stage::closing || got_close_) {
    fail("session {} is closed with code {}: {}", uid(), code, reason);
  }
  if (code != 1000) fail("session {} closed with 1000 and is answered {}", uid(), code);
  got_close_ = true;
}

void Churner::on_refused(unsigned status, const std::string& body) {
  if (ending_ != Ending::half_upgrade_fin) Member::on_refused(status, body);
  close_now();
}

void Churner::on_end(int error) {
  const bool asked = stage_ == Stage::over || (stage_ == Stage::closing && got_close_);
  if (!asked) {
    fail("session {} loses its connection before {}: {}", uid(), ending_name(ending_),
         error == 0 ? "end of stream" : std::strerror(error));
  }
}

}  // namespace ringcast::stress
