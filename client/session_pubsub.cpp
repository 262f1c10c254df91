// A session's publications and subscriptions.
#include <utility>

#include "client/session_impl.h"
#include "wire/encode.h"

namespace ringcast::client {

void Session::Impl::subscribe(std::string_view topic, const wire::SubscribeOptions& options,
                              OnEvent on_event, Done on_done) {
  if (state_ != State::joined) return on_done(not_joined());
  const std::uint64_t request = ++last_request_;
  wire::append_subscribe(outgoing_, options_.serializer, request, topic, options);
  subscribing_.emplace(
      request, PendingSubscribe{std::string(topic), std::move(on_event), std::move(on_done)});
  send();
}

void Session::Impl::publish(std::string_view topic, const wire::Payload& payload, Done on_done) {
  if (state_ != State::joined) {
    if (on_done) on_done(not_joined());
    return;
  }
  const std::uint64_t request = ++last_request_;
  wire::PublishOptions publish_options;
  publish_options.acknowledge = static_cast<bool>(on_done);
  wire::append_publish(outgoing_, options_.serializer, request, publish_options, topic, payload);
  if (on_done) publishing_.emplace(request, std::move(on_done));
  send();
}

void Session::Impl::on(const wire::Subscribed& subscribed) {
  auto found = subscribing_.extract(subscribed.request);
  if (found.empty()) return answer_to_nothing("SUBSCRIBED");
  PendingSubscribe& pending = found.mapped();
  subscriptions_.insert_or_assign(subscribed.subscription,
                                  std::make_shared<Subscription>(Subscription{
                                      std::move(pending.topic), std::move(pending.on_event)}));
  pending.on_done(subscribed.subscription);
}

void Session::Impl::on(const wire::Published& published) {
  auto found = publishing_.extract(published.request);
  if (found.empty()) return answer_to_nothing("PUBLISHED");
  found.mapped()(published.publication);
}

void Session::Impl::on(const wire::Event& event) {
  if (state_ == State::leaving) return;
  const auto found = subscriptions_.find(event.subscription);
  if (found == subscriptions_.end()) return answer_to_nothing("EVENT");
  const std::shared_ptr<Subscription> subscription = found->second;  // outlives its own callback
  const std::string_view topic =
      event.details.topic.empty() ? std::string_view(subscription->topic) : event.details.topic;
  subscription->on_event(Event{topic, event.subscription, event.publication, event.payload});
}

void Session::subscribe(std::string_view topic, const wire::SubscribeOptions& options,
                        std::function<void(const Event&)> on_event,
                        std::function<void(const IdOrFailure&)> on_done) {
  impl_->subscribe(topic, options, std::move(on_event), std::move(on_done));
}

void Session::publish(std::string_view topic, const wire::Payload& payload,
                      std::function<void(const IdOrFailure&)> on_done) {
  impl_->publish(topic, payload, std::move(on_done));
}

}  // namespace ringcast::client
