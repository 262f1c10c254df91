// The common case of decoding: a PUBLISH in MessagePack with no options but those that are known.
// Internal to wire/.
//
// It exists beside MessageReader because that pays for its generality with 65 ns per message, which
// is half of what the broker may spend on one (bench/wamp measures both). It judges nothing: what
// it does not take, or finds fault with, is read from the beginning by MessageReader.
#pragma once

#include "wire/message.h"
#include "wire/msgpack_scanner.h"

namespace ringcast::wire {

// Reads `bytes`, to which `scanner` has been reset, into `out` if they are such a message and all
// is well with it. Otherwise false, and `out` and the scanner hold nothing of use.
bool read_plain_publish(MsgpackScanner& scanner, Bytes bytes, Publish& out);

}  // namespace ringcast::wire
