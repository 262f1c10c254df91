#include "client/cli/asking.h"

#include <fmt/format.h>

#include <utility>

namespace ringcast::cli {

using client::Failure;
using client::Session;

Asking::Asking(Session::Options options)
    : session_(context_, std::move(options),
               {[this](std::uint64_t) { open_ = true; }, nullptr,
                [this](const std::optional<Failure>& failure) {
                  failure_ = failure;
                  ended_ = true;
                }}) {}

std::variant<std::unique_ptr<Asking>, Failure> Asking::open(Session::Options options) {
  auto asking = std::unique_ptr<Asking>(new Asking(std::move(options)));
  asking->session_.open();
  asking->run_until([&] { return asking->open_; });
  if (asking->open_) return asking;
  return asking->failure_.value_or(
      Failure{Failure::Kind::closed, "the session was not opened", ""});
}

// Or until the session has ended.
void Asking::run_until(const std::function<bool()>& done) {
  while (!done() && !ended_ && context_.run_one() != 0) {
  }
}

Asking::Answer Asking::answer_of(const Session::Answer& answer) const {
  if (const auto* failure = std::get_if<Failure>(&answer)) return *failure;
  const auto* error = std::get_if<Session::CallError>(&answer);
  const wire::Payload& payload =
      error != nullptr ? error->payload : std::get<Session::Result>(answer).payload;
  auto decoded = decode(session_.serializer(), payload);
  if (auto* failure = std::get_if<Failure>(&decoded)) return std::move(*failure);
  Publication content = std::get<Publication>(std::move(decoded));
  if (error == nullptr) return content;
  return Refusal{std::string(error->uri), std::move(content)};
}

std::vector<Asking::Answer> Asking::ask_each(std::string_view procedure,
                                             const std::vector<Publication>& payloads) {
  std::vector<Answer> answers(payloads.size());
  std::size_t answered = 0;
  bool patient = true;
  boost::asio::steady_timer timer(context_);
  for (std::size_t i = 0; i < payloads.size() && patient; ++i) {
    const auto encoded = encode(session_.serializer(), payloads[i]);
    if (const auto* failure = std::get_if<Failure>(&encoded)) {
      answers[i] = *failure;
      ++answered;
      continue;
    }
    session_.call(procedure, {}, std::get<EncodedPayload>(encoded).view(),
                  [&, i](const Session::Answer& answer) {
                    answers[i] = answer_of(answer);
                    ++answered;
                  });
    const bool last = i + 1 == payloads.size();
    timer.expires_after(kPatience);
    timer.async_wait([&](boost::system::error_code error) { patient = patient && error; });
    const std::size_t due = last ? i + 1 : i < kWindow ? 0 : i + 1 - kWindow;
    run_until([&] { return !patient || answered >= due; });
  }
  if (!patient) {
    session_.close();
    run_until([] { return false; });  // what is open is answered with the session's end
  }
  timer.cancel();
  context_.poll();  // the timer's handler refers to this call's variables
  return answers;
}

Asking::Answer Asking::ask(std::string_view procedure, const Publication& payload) {
  return std::move(ask_each(procedure, {payload}).front());
}

void Asking::close() {
  session_.close();
  run_until([] { return false; });
}

}  // namespace ringcast::cli
