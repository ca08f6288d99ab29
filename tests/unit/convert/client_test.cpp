#include "stack/convert/client.h"

#include <doctest/doctest.h>

#include "stack/convert/server.h"

namespace braid::convert {
namespace {

struct Stream {
  ChunkPool pool{1 << 20};
  Pipe pipe{pool, 64 * 1024};
  void arrive(const std::vector<std::uint8_t>& bytes) { pipe.append(Slices(Bytes(bytes))); }
};

TEST_SUITE_BEGIN("convert");
TEST_CASE("the request for an IPv4 server is the checklist's 24 bytes") {
  const auto request = connect_request({*wire::IpAddress::parse("192.0.2.1"), 443});
  const std::vector<std::uint8_t> expected = {0x01, 0x06, 0x22, 0x63, 0x0a, 0x05, 0x01, 0xbb,
                                              0,    0,    0,    0,    0,    0,    0,    0,
                                              0,    0,    0xff, 0xff, 0xc0, 0,    0x02, 0x01};
  CHECK(request == expected);
}

TEST_CASE("the Info request is two words") {
  CHECK(info_request() == std::vector<std::uint8_t>{1, 2, 0x22, 0x63, 1, 1, 0, 0});
}

TEST_CASE("nothing is decided before the reply is whole") {
  Stream stream;
  CHECK(std::holds_alternative<Pending>(read_reply(stream.pipe)));
  stream.arrive({1, 2});
  CHECK(std::holds_alternative<Pending>(read_reply(stream.pipe)));
  stream.arrive({0x22, 0x63, 30, 1, 96});
  CHECK(std::holds_alternative<Pending>(read_reply(stream.pipe)));
  stream.arrive({0});
  const Reply reply = read_reply(stream.pipe);
  REQUIRE(std::holds_alternative<Refused>(reply));
  CHECK(std::get<Refused>(reply).error.code == wire::ConvertErrorCode::kConnectionReset);
}

TEST_CASE("a bare header accepts, and the stream begins behind it") {
  Stream stream;
  stream.arrive(accepted_reply(ConnectRequest{}, {}));
  stream.arrive({'H', 'i'});
  const Reply reply = read_reply(stream.pipe);
  REQUIRE(std::holds_alternative<Accepted>(reply));
  CHECK(std::get<Accepted>(reply).length == 4);
  CHECK(stream.pipe.readable() == 6);
}

TEST_CASE("bytes that are no Convert message betray a middlebox or a stranger (C48)") {
  Stream stream;
  stream.arrive({'H', 'T', 'T', 'P'});
  const Reply reply = read_reply(stream.pipe);
  REQUIRE(std::holds_alternative<Nonsense>(reply));
  CHECK(std::get<Nonsense>(reply).reason == Nonsense::Reason::kMalformed);
}

TEST_CASE("a stream that ends inside the reply is nonsense, not patience") {
  Stream stream;
  stream.arrive({1, 2, 0x22});
  stream.pipe.finish();
  CHECK(std::holds_alternative<Nonsense>(read_reply(stream.pipe)));
}

TEST_CASE("the answer to Info lists the converter's option kinds") {
  Stream stream;
  stream.arrive(info_reply());
  const Reply reply = read_reply(stream.pipe);
  REQUIRE(std::holds_alternative<Accepted>(reply));
  const auto& kinds = std::get<Accepted>(reply).supported_kinds;
  CHECK(std::count(kinds.begin(), kinds.end(), 4) == 1);
  CHECK(std::count(kinds.begin(), kinds.end(), 8) == 1);
  // C22, C46: never 1, 2 or 29.
  for (int kind : {1, 2, 29}) CHECK(std::count(kinds.begin(), kinds.end(), kind) == 0);
}
TEST_SUITE_END();

}  // namespace
}  // namespace braid::convert
