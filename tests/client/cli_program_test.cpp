// ringcast-cli as its users run it, against a router that does what the test wants.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "tests/client/fake_router.h"
#include "tests/client/program.h"

namespace ringcast::test {
namespace {

using Published = FakeRouter::Published;

class Cli : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> args(const char* command, const FakeRouter& router,
                                std::vector<std::string> more) const {
    std::vector<std::string> all{command, "--url", router.url(), "--serializer", GetParam()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome publish(const FakeRouter& router, std::vector<std::string> more,
                  const std::string& input = "") const {
    return run_program(RINGCAST_CLI, args("publish", router, std::move(more)), input);
  }
  Outcome subscribe(const FakeRouter& router, std::vector<std::string> more) const {
    return run_program(RINGCAST_CLI, args("subscribe", router, std::move(more)));
  }
};

INSTANTIATE_TEST_SUITE_P(Serializers, Cli, testing::Values("json", "msgpack"),
                         [](const auto& serializer) { return std::string(serializer.param); });

std::string file_with(const std::string& name, const std::string& content) {
  const std::string path = testing::TempDir() + std::to_string(::getpid()) + "-" + name;
  std::ofstream(path) << content;
  return path;
}

TEST_P(Cli, PublishesArgumentsAndKeywords) {
  const FakeRouter router;
  const Outcome outcome = publish(
      router, {"a.b", "42", "two words", "[1,{\"x\":null}]", "--kwargs", "{\"z\":1,\"a\":\"ü\"}"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(router.published(),
            (std::vector<Published>{
                {"a.b", "[42,\"two words\",[1,{\"x\":null}]]", "{\"z\":1,\"a\":\"ü\"}", true}}));
  EXPECT_EQ(router.goodbyes(), 1u);
}

TEST_P(Cli, TakesEveryKindOfArgumentForWhatItIs) {
  const FakeRouter router;
  const Outcome outcome = publish(router, {"a.b", "-5", "[]", "[\"x\"]", "", "a,b", "{\"k\":[1,2]}",
                                           "--count", "1", "--", "--x"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  ASSERT_EQ(router.published().size(), 1u);
  EXPECT_EQ(router.published()[0].args, "[-5,[],[\"x\"],\"\",\"a,b\",{\"k\":[1,2]},\"--x\"]");
}

TEST_P(Cli, PublishesNothingButATopic) {
  const FakeRouter router;
  EXPECT_EQ(publish(router, {"a.b"}).exit_code, 0);
  EXPECT_EQ(router.published(), (std::vector<Published>{{"a.b", "", "", true}}));
}

TEST_P(Cli, RepeatsAMessage) {
  const FakeRouter router;
  EXPECT_EQ(publish(router, {"a.b", "1", "--count", "700"}).exit_code, 0);  // more than a window
  EXPECT_EQ(router.published().size(), 700u);
}

TEST_P(Cli, NeverAwaitsMoreThanAWindow) {
  RouterScript script;
  script.acknowledge_after_pong = true;
  const FakeRouter router(script);
  EXPECT_EQ(publish(router, {"a.b", "1", "--count", "100", "--window", "5"}).exit_code, 0);
  EXPECT_EQ(router.published().size(), 100u);
  EXPECT_GT(router.unacknowledged_max(), 1u);
  EXPECT_LE(router.unacknowledged_max(), 5u);
}

TEST_P(Cli, PublishesStandardInputLineByLine) {
  const FakeRouter router;
  for (const char* flag : {"-", "--stdin"}) {
    EXPECT_EQ(publish(router, {"a.b", flag}, "[1,2]\n{\"k\":1}\n\n\"text\"").exit_code, 0);
  }
  const std::vector<Published> once{
      {"a.b", "[1,2]", "", true}, {"a.b", "", "{\"k\":1}", true}, {"a.b", "[\"text\"]", "", true}};
  std::vector<Published> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(router.published(), twice);
}

TEST_P(Cli, PublishesALineAsSoonAsItIsThere) {
  const FakeRouter router;
  Program program(RINGCAST_CLI, args("publish", router, {"a.b", "-"}), "1\n", true);
  while (router.published().empty()) ::usleep(1000);  // the test's own limit ends a hang
  program.write("2\n");
  program.end_input();
  EXPECT_EQ(program.wait().exit_code, 0);
  EXPECT_EQ(router.published().size(), 2u);
}

TEST_P(Cli, PublishesFilesOfEachFormat) {
  const std::vector<Published> expected{{"a.b", "", "{\"d\":\"x\",\"p\":1.5}", true},
                                        {"a.b", "", "{\"d\":\"y\",\"p\":2}", true}};
  for (const auto& [name, content] :
       {std::pair{"r.csv", "d,p\nx,1.5\ny,2\n"},
        {"r.json", "[{\"d\":\"x\",\"p\":1.5},{\"d\":\"y\",\"p\":2}]"},
        {"r.jsonl", "{\"d\":\"x\",\"p\":1.5}\n{\"d\":\"y\",\"p\":2}\n"}}) {
    const FakeRouter router;
    const std::string path = file_with(name, content);
    const Outcome outcome = publish(router, {"a.b", "--from", path});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.err.find("published 2"), std::string::npos);
    EXPECT_EQ(router.published(), expected) << name;
    std::remove(path.c_str());
  }
}

TEST_P(Cli, MakesTopicsOfAField) {
  const FakeRouter router;
  EXPECT_EQ(
      publish(router, {"t.", "--topic-field", "s", "-"}, "{\"s\":\"ACME\"}\n{\"s\":7}\n").exit_code,
      0);
  ASSERT_EQ(router.published().size(), 2u);
  EXPECT_EQ(router.published()[0].topic, "t.ACME");
  EXPECT_EQ(router.published()[1].topic, "t.7");
  const Outcome missing = publish(router, {"t.", "--topic-field", "s", "-"}, "{\"x\":1}\n");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_NE(missing.err.find("record 1"), std::string::npos) << missing.err;
}

TEST_P(Cli, StopsAfterCountRecords) {
  const FakeRouter router;
  EXPECT_EQ(publish(router, {"a.b", "--count", "2", "-"}, "1\n2\n3\n4\n").exit_code, 0);
  EXPECT_EQ(router.published().size(), 2u);
}

TEST_P(Cli, PublishesUnacknowledgedAndStillDeliversAll) {
  const FakeRouter router;
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    lines += "[" + std::to_string(i) + ",\"" + std::string(400, 'x') + "\"]\n";
  const std::string path = file_with("many.jsonl", lines);
  EXPECT_EQ(publish(router, {"a.b", "--no-acknowledge", "--from", path}).exit_code, 0);
  std::remove(path.c_str());
  ASSERT_EQ(router.published().size(), 5000u);
  EXPECT_FALSE(router.published()[0].acknowledge);
  EXPECT_EQ(router.published()[4999].args.substr(0, 6), "[4999,");
}

TEST_P(Cli, KeepsARate) {
  const FakeRouter router;
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(publish(router, {"a.b", "1", "--count", "11", "--rate", "50"}).exit_code, 0);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(200));
  EXPECT_EQ(router.published().size(), 11u);
}

TEST_P(Cli, NamesTheLineThatIsNotJson) {
  const FakeRouter router;
  const Outcome outcome = publish(router, {"a.b", "-"}, "1\n{oops\n3\n");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("line 2"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("published 1 before that"), std::string::npos) << outcome.err;
  EXPECT_EQ(router.published().size(), 1u);
}

TEST_P(Cli, SaysThatAPublicationWasRefused) {
  RouterScript script;
  script.publish_error = "wamp.error.not_authorized";
  const FakeRouter router(script);
  const Outcome outcome = publish(router, {"a.b", "1"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.err.find("wamp.error.not_authorized: you may not"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(router.goodbyes(), 1u);
}

TEST_P(Cli, SaysThatTheSessionWasRefused) {
  RouterScript script;
  script.abort_reason = "wamp.error.no_such_realm";
  const FakeRouter router(script);
  const Outcome outcome = publish(router, {"a.b", "1"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.err.find("wamp.error.no_such_realm: not here"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("--realm"), std::string::npos) << outcome.err;
}

TEST_P(Cli, SaysThatTheUpgradeWasRefused) {
  RouterScript script;
  script.http_status = 503;
  const FakeRouter router(script);
  const Outcome outcome = publish(router, {"a.b", "1"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.err.find("HTTP 503: full: come back later"), std::string::npos) << outcome.err;
}

TEST_P(Cli, SaysThatTheConnectionWasLost) {
  RouterScript script;
  script.hang_up_at_publish = 3;
  const FakeRouter router(script);
  const Outcome outcome = publish(router, {"a.b", "1", "--count", "10"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("was lost"), std::string::npos) << outcome.err;
}

TEST_P(Cli, AnUnansweredGoodbyeIsNoSuccess) {
  RouterScript script;
  script.silent_goodbye = true;
  const FakeRouter router(script);
  const Outcome outcome = publish(router, {"a.b", "1", "--no-acknowledge"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("GOODBYE"), std::string::npos) << outcome.err;
}

TEST_P(Cli, PassesOnTheCloseCodeAndReason) {
  RouterScript script;
  script.close_at_publish = 2;
  const FakeRouter router(script);
  const Outcome outcome = publish(router, {"a.b", "1", "--count", "10"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("1008: too fast"), std::string::npos) << outcome.err;
}

TEST_P(Cli, SubscribesToSeveralTopicsUntilCount) {
  RouterScript script;
  script.event_on_subscribe = "[1,\"two\",{\"x\":null}]";
  const FakeRouter router(script);
  const Outcome outcome = subscribe(router, {"b", "a", "--count", "2", "--output", "json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::string rest =
      "\",\"publication\":1,\"args\":[1,\"two\",{\"x\":null}],\"kwargs\":{}}\n";
  EXPECT_EQ(outcome.out, "{\"topic\":\"a" + rest + "{\"topic\":\"b" + rest);
  EXPECT_NE(outcome.err.find("subscribed a 100\n"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("subscribed b 101\n"), std::string::npos) << outcome.err;
  EXPECT_EQ(router.goodbyes(), 1u);
}

TEST_P(Cli, DeliversFromPublishToSubscribe) {
  const FakeRouter router;
  Program subscriber(RINGCAST_CLI,
                     args("subscribe", router, {"a.b", "--count", "3000", "--output", "raw"}));
  ASSERT_TRUE(subscriber.wait_for_error_text("subscribed a.b"));
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += std::to_string(i) + "\n";
  EXPECT_EQ(publish(router, {"a.b", "-"}, lines).exit_code, 0);
  const Outcome outcome = subscriber.wait();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, lines);
}

TEST_P(Cli, LeavesOnASignalWithSuccess) {
  for (const int number : {SIGINT, SIGTERM}) {
    const FakeRouter router;
    Program program(RINGCAST_CLI, args("subscribe", router, {"a.b"}));
    ASSERT_TRUE(program.wait_for_error_text("subscribed a.b"));
    program.signal(number);
    EXPECT_EQ(program.wait().exit_code, 0);
    EXPECT_EQ(router.goodbyes(), 1u);
  }
}

TEST_P(Cli, TheTimeoutIsAFailureOnlyIfEventsWereCounted) {
  const FakeRouter router;
  EXPECT_EQ(subscribe(router, {"a.b", "--timeout", "0.2"}).exit_code, 0);
  const Outcome counted = subscribe(router, {"a.b", "--timeout", "0.2", "--count", "1"});
  EXPECT_EQ(counted.exit_code, 1);
  EXPECT_NE(counted.err.find("0 of 1"), std::string::npos) << counted.err;
}

TEST_P(Cli, SaysThatASubscriptionWasRefused) {
  RouterScript script;
  script.subscribe_error = "wamp.error.not_authorized";
  const FakeRouter router(script);
  const Outcome outcome = subscribe(router, {"a.b"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_NE(outcome.err.find("'a.b'"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("wamp.error.not_authorized"), std::string::npos) << outcome.err;
}

TEST_P(Cli, AnswersTheBrokersGoodbyeAndSaysWhy) {
  RouterScript script;
  script.goodbye_on_subscribe = "wamp.close.system_shutdown";
  const FakeRouter router(script);
  const Outcome outcome = subscribe(router, {"a.b"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("wamp.close.system_shutdown"), std::string::npos) << outcome.err;
  EXPECT_EQ(router.goodbyes(), 1u);
}

TEST_P(Cli, IsNotMisledByAServerWithoutWamp) {
  RouterScript script;
  script.subprotocol = "chat";
  const FakeRouter router(script);
  EXPECT_NE(publish(router, {"a.b"}).exit_code, 0);
}

TEST(CliUsage, IsExitCodeTwo) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{},
                                               {"frobnicate"},
                                               {"publish"},
                                               {"subscribe"},
                                               {"publish", "a b"},
                                               {"publish", "a", "--kwargs", "[1]"},
                                               {"publish", "a", "--kwargs", "{"},
                                               {"publish", "a", "--from", "/does/not/exist"},
                                               {"publish", "a", "1", "--from", "/dev/null"},
                                               {"publish", "a", "--stdin", "--from", "/dev/null"},
                                               {"publish", "a", "--rate", "-1"},
                                               {"publish", "a", "--url", "http://x/"},
                                               {"publish", "a", "--serializer", "xml"},
                                               {"publish", "a", "--format", "xml", "-"},
                                               {"subscribe", "a", "--output", "xml"},
                                               {"publish", "a", "--from", "/tmp"}}) {
    const Outcome outcome = run_program(RINGCAST_CLI, args);
    EXPECT_EQ(outcome.exit_code, 2) << testing::PrintToString(args) << outcome.err;
    EXPECT_NE(outcome.err, "") << testing::PrintToString(args);
  }
}

TEST(CliUsage, HelpHasExamplesAndExitCodes) {
  for (const char* command : {"publish", "subscribe"}) {
    const Outcome outcome = run_program(RINGCAST_CLI, {command, "--help"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_NE(outcome.out.find("Examples:"), std::string::npos);
    EXPECT_NE(outcome.out.find("Exit codes:"), std::string::npos);
  }
  EXPECT_EQ(run_program(RINGCAST_CLI, {"--version"}).out, "ringcast-cli " RINGCAST_VERSION "\n");
}

TEST(CliUsage, NothingListensIsExitCodeOne) {
  const Outcome outcome =
      run_program(RINGCAST_CLI, {"publish", "a", "--url", "ws://127.0.0.1:1/ws"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("127.0.0.1:1"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("ringcast"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace ringcast::test
