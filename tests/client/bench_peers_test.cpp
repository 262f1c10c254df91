// ringcast-bench with the real servers of the protocols that are not ours. Where one is not
// installed, its tests are skipped; `./dev test` installs them.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/bench_run.h"
#include "tests/client/program.h"

namespace ringcast::test {
namespace {

std::string installed(const std::string& name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/usr/local/bin/"}) {
    if (::access((directory + name).c_str(), X_OK) == 0) return directory + name;
  }
  return "";
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
  return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const bool connected =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

// One of the servers on free ports of loopback, for the time of a test.
class PeerServer {
 public:
  explicit PeerServer(const std::string& protocol)
      : port_(free_port()),
        file_(std::filesystem::temp_directory_path() /
              (protocol + std::to_string(port_) + ".conf")) {
    const bool nats = protocol == "nats";
    const std::string path = installed(nats ? "nats-server" : "mosquitto");
    if (path.empty()) return;
    const std::string port = std::to_string(port_);
    std::ofstream(file_)
        << (nats ? "host: 127.0.0.1\nport: -1\nwebsocket { host: 127.0.0.1, port: " + port +
                       ", no_tls: true }\n"
                 : "allow_anonymous true\nmax_queued_messages 0\nlog_dest stderr\nlistener " +
                       std::to_string(free_port()) + " 127.0.0.1\nlistener " + port +
                       " 127.0.0.1\nprotocol websockets\n");
    program_ =
        std::make_unique<Program>(path, std::vector<std::string>{"-c", file_.string()}, "", true);
    for (int i = 0; i < 1000 && !listens(port_); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  ~PeerServer() { std::filesystem::remove(file_); }
  PeerServer(const PeerServer&) = delete;
  PeerServer& operator=(const PeerServer&) = delete;

  bool runs() const { return program_ != nullptr && listens(port_); }
  std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/"; }
  std::string pid() const { return std::to_string(program_->pid()); }

 private:
  const std::uint16_t port_;
  const std::filesystem::path file_;
  std::unique_ptr<Program> program_;
};

class BenchPeers : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (installed(GetParam() == std::string("nats") ? "nats-server" : "mosquitto").empty()) {
      GTEST_SKIP() << "its server is not installed";
    }
    server_ = std::make_unique<PeerServer>(GetParam());
    ASSERT_TRUE(server_->runs());
  }
  Outcome run(const std::string& mode, const std::vector<std::string>& more) const {
    return bench(mode, server_->url(),
                 with_options({"--protocol", GetParam(), "--duration", "0.5", "--warmup", "0.1",
                               "--pid", server_->pid()},
                              more));
  }

  std::unique_ptr<PeerServer> server_;
};

TEST_P(BenchPeers, EveryDeliveryIsChecked) {
  // mosquitto 2.0.11 reads 4 KiB of a WebSocket and then waits 100 ms for its next turn.
  const char* const large = GetParam() == std::string("mqtt") ? "3000" : "70000";
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"--subscribers", "5", "--window", "16"},
        {"--subscribers", "6", "--publishers", "2", "--topics", "3", "--window", "4"},
        {"--subscribers", "6", "--publishers", "3", "--topics", "2", "--rate", "500"},
        {"--subscribers", "2", "--payload", large, "--window", "2"},
        {"--subscribers", "5", "--window", "4", "--processes", "2"}}) {
    const Outcome outcome = run("fanout", options);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
    const nlohmann::json report = report_of(outcome);
    ASSERT_TRUE(report.is_object());
    EXPECT_TRUE(report["checks"]["passed"]);
    EXPECT_GT(report["checks"]["deliveries"], 0);
    EXPECT_GT(report["latency_us"]["p50"], 0);
    EXPECT_GT(report["server_cpu"]["us_per_delivery"], 0);
  }
}

TEST_P(BenchPeers, TheOtherModesWorkToo) {
  // First, while the server has no free memory that it could take for connections.
  const Outcome idle = run("idle", {"--subscribers", "300"});
  EXPECT_EQ(idle.exit_code, 0) << idle.err;
  EXPECT_GT(report_of(idle)["server_memory"]["connected_bytes"],
            report_of(idle)["server_memory"]["before_bytes"]);
  const Outcome ingest = run("ingest", {"--publishers", "2", "--window", "64"});
  EXPECT_EQ(ingest.exit_code, 0) << ingest.err;
  EXPECT_GT(report_of(ingest)["publications"], 0);
  const Outcome connect = run("connect", {"--concurrency", "4"});
  EXPECT_EQ(connect.exit_code, 0) << connect.err;
  EXPECT_GT(report_of(connect)["connects"]["count"], 0);
}

INSTANTIATE_TEST_SUITE_P(Each, BenchPeers, testing::Values("nats", "mqtt"),
                         [](const auto& protocol) { return std::string(protocol.param); });

}  // namespace
}  // namespace ringcast::test
