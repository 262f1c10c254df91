// A small WebSocket server for tests, on a thread of its own and a free port of 127.0.0.1. What it
// does with messages is the test's script; nothing in it is fast.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "wire/frame_reader.h"
#include "wire/frame_writer.h"
#include "wire/http_upgrade.h"

namespace ringcast::test {

class WsServer {
 public:
  struct Peer {
    int fd = -1;
    std::uint64_t number = 0;      // in the order of connecting
    std::string address;           // its IPv4 address
    wire::UpgradeRequest request;  // empty until upgraded
    bool upgraded = false;
    bool closing = false;  // close when all is sent
    std::string in;
    std::string out;
    std::unique_ptr<wire::FrameReader> reader;

    void send(wire::Opcode opcode, wire::Bytes payload) {
      wire::append_frame(out, opcode, payload);
    }
    void close(std::uint16_t code, wire::Bytes reason);
    void drop() { closing = true; }  // without a close frame
  };

  // All are called on the server's thread.
  struct Script {
    // Which subprotocol to answer with; a refusal's status instead, if not 0.
    std::function<std::string(const wire::UpgradeRequest&)> subprotocol;
    unsigned refuse_status = 0;
    std::function<void(WsServer&, Peer&)> on_open;
    std::function<void(Peer&)> on_gone;
    std::function<void(WsServer&, Peer&, wire::Opcode, wire::Bytes)> on_message;
    std::function<void(Peer&)> on_pong;
  };

  explicit WsServer(Script script);
  ~WsServer();
  WsServer(const WsServer&) = delete;
  WsServer& operator=(const WsServer&) = delete;

  std::string url(const std::string& path = "/ws") const;
  // On the server's thread only.
  std::vector<Peer*> peers();

 private:
  void run();
  void accept();
  void read(Peer& peer);
  void take_upgrade(Peer& peer);
  void take_frames(Peer& peer);
  void write(Peer& peer);

  const Script script_;
  int listener_ = -1;
  int stop_event_ = -1;
  std::uint16_t port_ = 0;
  std::uint64_t accepted_ = 0;
  wire::FrameLimits limits_;
  wire::FrameStatePool pool_;
  std::map<std::uint64_t, std::unique_ptr<Peer>> peers_;  // by number
  std::thread thread_;
};

}  // namespace ringcast::test
