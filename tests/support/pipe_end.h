// PipeEnd: one end of a plain TCP connection in a test: two pipes, their PipeStream, and the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stack/base/pipe.h"
#include "stack/cc/factory.h"
#include "stack/tcp/pipe_stream.h"
#include "tests/support/tcp_pair.h"

namespace braid::test {

// Byte `i` of a stream whose bytes tell where they belong.
inline std::uint8_t stream_byte(std::uint64_t i) {
  return static_cast<std::uint8_t>((i * 2654435761u) >> 13);
}
inline std::vector<std::uint8_t> stream_bytes(std::uint64_t from, std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = stream_byte(from + i);
  return bytes;
}

inline tcp::ConnectionConfig default_config(cc::Algorithm algorithm = cc::Algorithm::kReno) {
  tcp::ConnectionConfig config;
  config.controller = cc::make_controller(algorithm, 1460);
  return config;
}

struct PipeEnd {
  explicit PipeEnd(std::uint64_t capacity = 64 * 1024)
      : incoming(pool, capacity), outgoing(pool, 1 << 20), stream(incoming, outgoing, owner) {}

  // Appends what the pipe takes of the stream up to `total` bytes; finishes it there if asked.
  void offer(std::uint64_t total, bool finish) {
    while (offered < total) {
      const auto part = stream_bytes(
          offered, std::min<std::uint64_t>({total - offered, outgoing.room(), 32 * 1024}));
      if (part.empty()) return;
      const std::uint32_t taken = outgoing.append(Slices(Bytes(part)));
      if (taken == 0) return;
      offered += taken;
    }
    if (finish && !outgoing.end()) outgoing.finish();
  }
  // Takes what has arrived and compares it with the stream. False on the first wrong byte.
  bool drain(std::uint64_t most = UINT64_MAX) {
    while (incoming.readable() > 0 && most > 0) {
      const Slices bytes = incoming.peek(
          incoming.released(), static_cast<std::uint32_t>(std::min<std::uint64_t>(most, 65536)));
      for (const Bytes slice : bytes) {
        for (const std::uint8_t byte : slice) {
          if (byte != stream_byte(drained)) return false;
          ++drained;
        }
      }
      most -= bytes.size();
      incoming.release(incoming.released() + bytes.size());
    }
    return true;
  }
  bool closed() const { return stream.close_reason().has_value(); }
  tcp::State state() const {
    return stream.connection() ? stream.connection()->state() : tcp::State::kClosed;
  }

  ChunkPool pool{64 << 20};
  Pipe incoming;
  Pipe outgoing;
  Agenda::Entry owner;
  tcp::PipeStream stream;
  std::uint64_t offered = 0;
  std::uint64_t drained = 0;
};

// A connects to B, which accepts. The usual beginning of a test.
struct PipePair : TcpPair {
  explicit PipePair(std::uint64_t seed = 1) : TcpPair(seed) {
    on_syn = [this](Side at, const wire::Segment& syn) {
      b.stream.attach(layer(at).accept(kInterface, syn, b.stream, std::move(config_b), now()));
      config_b = default_config();
    };
  }
  void connect(wire::Family family = wire::Family::kIpv4) {
    a.stream.attach(
        layer(Side::kA).connect(tuple(Side::kA, family), a.stream, std::move(config_a), now()));
    config_a = default_config();
  }
  bool establish() {
    connect();
    return run([&] { return a.stream.is_established() && b.stream.is_established(); });
  }
  // Both ends offer their streams, drain each other's, and finish. True when all arrived intact.
  bool transfer(std::uint64_t from_a, std::uint64_t from_b, Duration limit = 600s) {
    bool intact = true;
    const bool done = run(
        [&] {
          a.offer(from_a, true);
          b.offer(from_b, true);
          intact = intact && a.drain() && b.drain();
          return !intact || (a.incoming.complete() && b.incoming.complete() &&
                             a.drained == from_b && b.drained == from_a);
        },
        limit);
    return done && intact;
  }

  PipeEnd a, b;
  tcp::ConnectionConfig config_a = default_config();
  tcp::ConnectionConfig config_b = default_config();
};

}  // namespace braid::test
