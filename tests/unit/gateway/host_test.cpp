#include "gateway/host.h"

#include <doctest/doctest.h>

#include <memory>

#include "stack/ip/plain_layer.h"
#include "tests/support/pipe_end.h"
#include "tests/unit/gateway/fake_door.h"
#include "tests/unit/gateway/idle_host.h"

namespace braid::gateway {

TEST_SUITE_BEGIN("gateway");

TEST_CASE("a flush follows a few super-segments, and of a crowd two from each") {
  ip::PlainLayer ip;
  Random random{std::uint64_t{3}};
  FakeDoor door;
  std::vector<std::unique_ptr<test::PipeEnd>> crowd;
  IdleHost host{ip, random};
  host.set_door(1, &door);
  CHECK_FALSE(host.is_batch(0));
  CHECK_FALSE(host.is_batch(900'000));
  CHECK(host.is_batch(1'000'000));
  const Instant now(1s);
  for (std::uint16_t i = 0; i < 100; ++i) {
    crowd.push_back(std::make_unique<test::PipeEnd>());
    tcp::PipeStream& stream = crowd.back()->stream;
    const tcp::Tuple tuple{
        1,
        {*wire::IpAddress::parse("10.1.0.2"), static_cast<std::uint16_t>(1000 + i)},
        {*wire::IpAddress::parse("203.0.113.5"), 80}};
    stream.attach(host.tcp().connect(tuple, stream, test::default_config(), now));
  }
  CHECK_FALSE(host.is_batch(100 * 130'000));
  CHECK(host.is_batch(100 * 132'000));
  host.flush(now);  // their SYNs leave, and nobody has anything to do
  CHECK(door.packets.size() == 100);
  CHECK(host.is_batch(1'000'000));
  for (const auto& end : crowd) end->stream.connection()->abort(now);
  host.flush(now);
}

}  // namespace braid::gateway
